import { seededRandom } from '../../../harness/random.ts';
import { LIGHTS, type Scene } from '../synthetic/scene.ts';

/** Open, narrow, lowered and shut eyes of one head, each in another place and light. */
export function lidScenes(seed: number): readonly { readonly scene: Scene; readonly isShut: boolean }[] {
  const random = seededRandom(seed);
  const between = (low: number, high: number): number => Math.round((low + (high - low) * random()) * 100) / 100;
  const scene = (given: Partial<Scene>): Scene => ({
    distanceCm: between(40, 85),
    across: between(-0.3, 0.3),
    up: between(-0.2, 0.2),
    headYawDeg: between(-18, 18),
    headPitchDeg: between(-18, 10),
    headRollDeg: between(-8, 8),
    eyeYawDeg: between(-18, 18),
    eyePitchDeg: between(-15, 5),
    blink: 0,
    lidFollow: between(0.8, 1.1),
    squint: between(0, 0.15),
    headWidth: 1,
    headHeight: 1,
    light: LIGHTS[Math.floor(random() * LIGHTS.length)] ?? 'front',
    lightFrom: random() < 0.5 ? 'left' : 'right',
    exposure: between(0.6, 1.2),
    skin: 1,
    glasses: random() < 0.3,
    diagonalFovDeg: between(60, 78),
    noise: between(1, 5),
    noiseSeed: Math.floor(random() * 1e9),
    ...given,
  });
  const times = (count: number, isShut: boolean, given: () => Partial<Scene>) =>
    Array.from({ length: count }, () => ({ scene: scene(given()), isShut }));
  return [
    ...times(7, true, () => ({ blink: between(0.93, 1), eyePitchDeg: between(-12, 0) })),
    ...times(5, false, () => ({})),
    ...times(4, false, () => ({ eyePitchDeg: between(-28, -18), headPitchDeg: between(-12, 6) })),
    ...times(4, false, () => ({ squint: between(0.25, 0.45), eyePitchDeg: between(-8, 4) })),
  ];
}
