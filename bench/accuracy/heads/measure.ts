import { type CalibrationPoint, fitCalibration } from '../../../shared/focus/calibration.ts';
import type { FaceMeasurement, FaceObservation } from '../../../shared/observation.ts';
import { type GazeCorrection, gazeOf, NO_CORRECTION } from '../../../shared/vision/gaze.ts';
import { DEFAULT_SETUP } from '../../../shared/vision/screen.ts';
import { verdictOf } from '../../../shared/vision/verdict.ts';
import { strangerContext } from '../context.ts';
import { decode, type Looker } from '../look.ts';
import { trueGazeOf } from '../synthetic/measure.ts';
import { renderScenes } from '../synthetic/render.ts';
import { FRAME } from '../synthetic/scene.ts';
import { type HeadFrame, type HeadSet, headFrames } from './grid.ts';
import { openHeadShop } from './head.ts';
import { makeRecipes, type Recipe } from './recipes.ts';

/** Seed of the heads that are reported; constants were set on those of seed 4711. */
export const REPORT_HEADS_SEED = 20_261_128;
const HEADS = 24;

interface GazeMae {
  readonly yawMaeDeg: number;
  readonly pitchMaeDeg: number;
}

export interface HeadsResult {
  /** Heads. */
  readonly n: number;
  readonly still: { readonly after5: GazeMae };
  /** After five points, and after those and the head turned aside at the first one. */
  readonly moving: { readonly after5: GazeMae; readonly afterTurning: GazeMae };
  readonly hardSide: { readonly yawMaeDeg: number };
  /** Share of looks down behind glasses that are called so. */
  readonly glassesDownRecall: number;
  /** Looks at the screen, uncalibrated: share called on-screen, and error, by group; the first is all of them. */
  readonly groups: readonly (GazeMae & { readonly group: string; readonly n: number; readonly onScreen: number })[];
}

/** A rendered frame of a head and what was seen of it. */
export interface SeenHeadFrame extends HeadFrame {
  readonly recipe: Recipe;
  readonly observation: FaceObservation;
}

type Found = SeenHeadFrame & { readonly face: FaceMeasurement };

function mean(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function gazeMae(frames: readonly Found[], correctionOf: (frame: Found) => GazeCorrection): GazeMae {
  const errors = frames.map((frame) => {
    const truth = trueGazeOf(frame.scene);
    const gaze = gazeOf(frame.face, correctionOf(frame));
    return { yaw: Math.abs(gaze.yawDeg - truth.yawDeg), pitch: Math.abs(gaze.pitchDeg - truth.pitchDeg) };
  });
  return { yawMaeDeg: mean(errors.map(({ yaw }) => yaw)), pitchMaeDeg: mean(errors.map(({ pitch }) => pitch)) };
}

/** The points of these frames with the faces seen on each. */
function pointsOf(frames: readonly Found[]): CalibrationPoint[] {
  const points = new Map<string, { readonly target: HeadFrame['target']; readonly faces: FaceMeasurement[] }>();
  for (const { target, face } of frames) {
    const name = JSON.stringify(target);
    const point = points.get(name) ?? { target, faces: [] };
    point.faces.push(face);
    points.set(name, point);
  }
  return [...points.values()].flatMap(({ target, faces }): CalibrationPoint[] =>
    target === null ? [] : [{ targetYawDeg: target.yawDeg, targetPitchDeg: target.pitchDeg, faces }],
  );
}

/** The correction that five points give for each head, with what was seen of the head as it turned. */
function calibrations(points: readonly Found[], turning: readonly Found[]): ReadonlyMap<Recipe, GazeCorrection> {
  const corrections = new Map<Recipe, GazeCorrection>();
  for (const recipe of new Set(points.map((frame) => frame.recipe))) {
    const own = (frames: readonly Found[]) => pointsOf(frames.filter((frame) => frame.recipe === recipe));
    const [turned = null] = own(turning);
    try {
      corrections.set(recipe, fitCalibration(own(points), DEFAULT_SETUP, turned).correction);
    } catch {
      // Too few faces were found on the points: this head has no calibration.
    }
  }
  return corrections;
}

/** All first, then group by group. */
function byGroup([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  if (a === 'all' || b === 'all') return a === 'all' ? -1 : 1;
  return a < b ? -1 : 1;
}

/** Everything that the report says of unlike heads. */
export function measureHeads(frames: readonly SeenHeadFrame[]): HeadsResult {
  const found = frames.flatMap((frame): Found[] => {
    const { face } = frame.observation;
    return face === null ? [] : [{ ...frame, face }];
  });
  const of = (set: HeadSet): Found[] => found.filter((frame) => frame.set === set);
  const after = (set: HeadSet, turning: readonly Found[]): GazeMae => {
    const corrections = calibrations(of('calibration'), turning);
    return gazeMae(
      of(set).filter(({ recipe }) => corrections.has(recipe)),
      ({ recipe }) => corrections.get(recipe) ?? NO_CORRECTION,
    );
  };
  const isSaid = (frame: SeenHeadFrame, direction: string): number =>
    verdictOf(frame.observation, strangerContext(frame.observation, FRAME)).direction === direction ? 1 : 0;
  const looks = frames.filter(({ set }) => set === 'screen' || set === 'hardSide');
  const grouped = new Map<string, SeenHeadFrame[]>([['all', looks.filter(({ set }) => set === 'screen')]]);
  const put = (group: string, frame: SeenHeadFrame): void => {
    grouped.set(group, [...(grouped.get(group) ?? []), frame]);
  };
  for (const frame of looks) {
    put(`light: ${frame.scene.light}`, frame);
    if (frame.set !== 'screen') continue;
    const { origin, sex, age, tone } = frame.recipe;
    put(`origin: ${origin}`, frame);
    put(`sex: ${sex}`, frame);
    put(`age: ${age}`, frame);
    put(`skin: ${tone}`, frame);
    put(`glasses: ${frame.scene.glasses ? 'dark rims' : 'none'}`, frame);
  }
  return {
    n: new Set(frames.map(({ recipe }) => recipe)).size,
    still: { after5: after('still', []) },
    moving: { after5: after('moving', []), afterTurning: after('moving', of('turning')) },
    hardSide: { yawMaeDeg: gazeMae(of('hardSide'), () => NO_CORRECTION).yawMaeDeg },
    glassesDownRecall: mean(
      frames.filter(({ set }) => set === 'glassesDown').map((frame) => isSaid(frame, 'looking_down')),
    ),
    groups: [...grouped].sort(byGroup).map(([group, own]) => ({
      group,
      n: own.length,
      onScreen: mean(own.map((frame) => isSaid(frame, 'centered'))),
      ...gazeMae(
        own.flatMap((frame): Found[] => {
          const { face } = frame.observation;
          return face === null ? [] : [{ ...frame, face }];
        }),
        () => NO_CORRECTION,
      ),
    })),
  };
}

/** Renders unlike heads and looks at them. Rejects when the folder lacks a part of the base mesh, or the browser fails. */
export async function lookAtHeads(
  dir: string,
  looker: Looker,
  progress: (text: string) => void,
  seed = REPORT_HEADS_SEED,
): Promise<readonly SeenHeadFrame[]> {
  const shop = await openHeadShop(dir);
  const seen: SeenHeadFrame[] = [];
  for (const [i, recipe] of makeRecipes(HEADS, seed).entries()) {
    const glb = await shop.build(recipe);
    const frames = headFrames(seed + i + 1);
    let at = 0;
    for await (const jpeg of renderScenes(
      glb,
      frames.map(({ scene }) => scene),
    )) {
      const frame = frames[at++];
      if (frame === undefined) break;
      seen.push({ ...frame, recipe, observation: (await looker.still(await decode(jpeg))).observation });
    }
    progress(`heads: ${i + 1} of ${HEADS} (${recipe.name})`);
  }
  return seen;
}
