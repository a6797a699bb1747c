import { median } from '../median.ts';
import { greenAround } from './mesh-pixels.ts';

/** Places of skin that a face has on both sides: image left, image right. */
export const SKIN_PAIRS = [
  [50, 280],
  [101, 330],
  [205, 425],
  [108, 337],
  [117, 346],
  [118, 347],
  [123, 352],
  [147, 376],
  [104, 333],
  [69, 299],
  [49, 279],
  [135, 364],
] as const;
/** Keeps the ratio of two dark places from being noise. */
const DARK = 0.02;
/**
 * Natural logarithm of how much brighter one side is, in values as pictures have them: up to the first figure light is soft, from
 * the second on it is hard. Soft light from the side makes 0.25 at most on rendered heads and on 95 of 100 photographs of faces
 * (CMU, two clips), hard light 0.4 to 0.8.
 */
const HARD_LIGHT = { from: 0.3, fully: 0.6 } as const;
/** Of a head that is turned, places of the far side lie on its edge or behind it: it counts less from here on, and not at all from there. */
const TURNED = { fromDeg: 20, fullyDeg: 35 } as const;

/**
 * How far both eyes are read towards image right in hard light from image left, degrees, and the other way round: the lit eye has a
 * shadow of its own on the side away from the lamp, which draws the mesh's iris. Set on two kinds of rendered heads: on 17 made from
 * MakeHuman's mesh the error of yaw in hard light falls from 5.1° to 3.7° (6.0° to 4.7° as sent), on the moving head of
 * FaceKit over all lights from 4.9° to 4.4°. 5° would take off another 0.3° and lose one in six glances 25° aside in such light,
 * which are read less wrong. Photographs that are darkened smoothly on one side, without shadows, are read within 1.5° of what they
 * are read evenly lit, so soft light is left alone.
 */
const HARD_LIGHT_YAW_DEG = 3;

/**
 * Hard light from the side: −1 from image right, 0 none, 1 from image left. `planes`: the mesh's input tensor; `landmarks` (478)
 * in its pixels. The median over places of skin, so that hair or a hand before some of them does not count.
 */
export function hardSideLightOf(planes: Float32Array, landmarks: Float32Array): number {
  const ratio = median(
    SKIN_PAIRS.map(([left, right]) =>
      Math.log((greenAround(planes, landmarks, left) + DARK) / (greenAround(planes, landmarks, right) + DARK)),
    ),
  );
  const share = (Math.abs(ratio) - HARD_LIGHT.from) / (HARD_LIGHT.fully - HARD_LIGHT.from);
  return Math.sign(ratio) * Math.min(1, Math.max(0, share));
}

/** How far eyes of a head with this yaw are read towards image right in this light, degrees; `hardSideLight` as hardSideLightOf has it. */
export function lightYawDegOf(hardSideLight: number, headYawDeg: number): number {
  const turned = (Math.abs(headYawDeg) - TURNED.fromDeg) / (TURNED.fullyDeg - TURNED.fromDeg);
  return HARD_LIGHT_YAW_DEG * hardSideLight * (1 - Math.min(1, Math.max(0, turned)));
}
