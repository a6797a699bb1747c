import { between, seededRandom } from '../../../harness/random.ts';
import { CALIBRATION_POINTS, READINGS_PER_POINT } from '../synthetic/grid.ts';
import { LIGHTS, type Light, type Scene } from '../synthetic/scene.ts';

/** What a frame of a head is for. */
export type HeadSet = 'calibration' | 'turning' | 'still' | 'moving' | 'screen' | 'hardSide' | 'glassesDown';

export interface HeadFrame {
  readonly set: HeadSet;
  readonly scene: Scene;
  /** Where a calibration asked to look; null in other sets. */
  readonly target: { readonly yawDeg: number; readonly pitchDeg: number } | null;
}

/** How far the head is turned while the eyes stay on the first point. */
const TURNED_DEG = [-20, -12, 12, 20];
/** A 14-inch screen with its camera 1 cm above it, cm. */
const SCREEN_CM = { halfWidth: 15.5, top: -1, bottom: -18.5 };
/** Lids that still show some of the iris. */
const COUNTS = { still: 12, moving: 12, screen: 12, hardSide: 8, glassesDown: 4 } as const;

function degOf(lengthCm: number, distanceCm: number): number {
  return (Math.atan2(lengthCm, distanceCm) * 180) / Math.PI;
}

/** A look at a target, part with the head and the rest with the eyes. */
function lookAt(yawDeg: number, pitchDeg: number, headYawDeg: number, headPitchDeg: number): Partial<Scene> {
  return { headYawDeg, headPitchDeg, eyeYawDeg: yawDeg - headYawDeg, eyePitchDeg: pitchDeg - headPitchDeg };
}

/**
 * Frames of one head: a session of a still head with its calibration, a moving head before the same camera, looks at
 * a 14-inch screen, hard light from one side, and looks down behind glasses. Every head has its own camera and distance.
 */
export function headFrames(seed: number): readonly HeadFrame[] {
  const random = seededRandom(seed);
  const distanceCm = between(random, 45, 75);
  const diagonalFovDeg = between(random, 58, 78);
  const sessionLight = LIGHTS[Math.floor(random() * 2)] ?? 'front';
  const same = {
    across: 0,
    up: between(random, -0.2, 0.2),
    blink: 0,
    lidFollow: between(random, 0.8, 1.1),
    squint: between(random, 0, 0.12),
    headWidth: 1,
    headHeight: 1,
    lightFrom: random() < 0.5 ? ('left' as const) : ('right' as const),
    exposure: between(random, 0.75, 1.15),
    skin: 1,
    glasses: false,
    diagonalFovDeg,
  };
  const scene = (light: Light, given: Partial<Scene>): Scene => ({
    distanceCm: distanceCm + between(random, -2, 2),
    headYawDeg: 0,
    headPitchDeg: 0,
    headRollDeg: between(random, -1.5, 1.5),
    eyeYawDeg: 0,
    eyePitchDeg: 0,
    ...same,
    light,
    noise: between(random, 1, 4),
    noiseSeed: Math.floor(random() * 1e9),
    ...given,
  });
  const drift = (): number => between(random, -1, 1);
  const onScreen = (): { yawDeg: number; pitchDeg: number } => ({
    yawDeg: degOf(between(random, -SCREEN_CM.halfWidth, SCREEN_CM.halfWidth), distanceCm),
    pitchDeg: degOf(between(random, SCREEN_CM.bottom, SCREEN_CM.top), distanceCm),
  });
  const frames: HeadFrame[] = [];
  const push = (set: HeadSet, count: number, make: (i: number) => Scene): void => {
    for (let i = 0; i < count; i++) frames.push({ set, scene: make(i), target: null });
  };
  for (const [yawDeg, pitchDeg] of CALIBRATION_POINTS) {
    for (let i = 0; i < READINGS_PER_POINT; i++) {
      frames.push({
        set: 'calibration',
        scene: scene(sessionLight, lookAt(yawDeg, pitchDeg, drift(), drift())),
        target: { yawDeg, pitchDeg },
      });
    }
  }
  push('still', COUNTS.still, () => {
    const { yawDeg, pitchDeg } = onScreen();
    return scene(sessionLight, lookAt(yawDeg, pitchDeg, drift(), drift()));
  });
  push('moving', COUNTS.moving, () => {
    const { yawDeg, pitchDeg } = onScreen();
    return scene(sessionLight, {
      ...lookAt(yawDeg, pitchDeg, between(random, -20, 20), between(random, -12, 8)),
      headRollDeg: between(random, -8, 8),
      across: between(random, -0.3, 0.3),
      distanceCm: distanceCm + between(random, -8, 12),
    });
  });
  push('screen', COUNTS.screen, (i) => {
    const { yawDeg, pitchDeg } = onScreen();
    return scene(LIGHTS[i % 2] ?? 'front', {
      ...lookAt(yawDeg, pitchDeg, 0.7 * yawDeg + 2 * drift(), 0.5 * pitchDeg + 3 * drift()),
      glasses: i % 4 === 3,
    });
  });
  push('hardSide', COUNTS.hardSide, () => {
    const { yawDeg, pitchDeg } = onScreen();
    return scene('hardSide', lookAt(yawDeg, pitchDeg, 0.7 * yawDeg + 2 * drift(), 0.5 * pitchDeg + 3 * drift()));
  });
  push('glassesDown', COUNTS.glassesDown, () =>
    scene(LIGHTS[0], {
      headYawDeg: between(random, -8, 8),
      headPitchDeg: between(random, -25, -8),
      eyeYawDeg: between(random, -6, 6),
      eyePitchDeg: between(random, -28, -18),
      glasses: true,
    }),
  );
  const [[yawDeg, pitchDeg]] = CALIBRATION_POINTS;
  for (const turnedDeg of TURNED_DEG) {
    for (let i = 0; i < READINGS_PER_POINT; i++) {
      const look = lookAt(yawDeg, pitchDeg, turnedDeg + drift(), drift());
      frames.push({ set: 'turning', scene: scene(sessionLight, look), target: { yawDeg, pitchDeg } });
    }
  }
  return frames;
}
