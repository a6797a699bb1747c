import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dot, truthOf } from '../../../bench/accuracy/dots/frame.ts';
import { dotsJson, measureDots } from '../../../bench/accuracy/dots/measure.ts';
import { parseDots, readDots } from '../../../bench/accuracy/dots/read.ts';
import type { Looker } from '../../../bench/accuracy/look.ts';
import { measureFace } from '../../../shared/vision/observe.ts';
import { focalLengthPx } from '../../../shared/vision/pose.ts';
import { roiFromLandmarks } from '../../../shared/vision/roi.ts';
import { faceWith, renderFace, type SyntheticFace } from '../../support/synthetic-face.ts';

const CAMERA = { widthPx: 640, heightPx: 480 };
/** The camera that the truth takes the pictures to be of. */
const FOCAL_PX = 630;
const PAGE = { pageWidthPx: 1536, pageHeightPx: 864, pageWidthMm: 344, cameraAboveMm: 5 };
const GRID = [0, 1, 2, 3].flatMap((row) =>
  [0, 1, 2, 3].map((column) => [0.05 + column * 0.3, 0.05 + row * 0.3] as const),
);

function dotAt(across: number, down: number): Dot {
  return { ...PAGE, xPx: across * PAGE.pageWidthPx, yPx: down * PAGE.pageHeightPx };
}

function faceSeen(values: Partial<SyntheticFace>) {
  const landmarks = renderFace(faceWith({ frame: CAMERA, focalPx: FOCAL_PX, ...values }));
  return { landmarks, face: measureFace(landmarks, 1, CAMERA, roiFromLandmarks(landmarks)) };
}

/** A line of the file: somebody who looks at a dot with the eyes alone, read `pitchOffDeg` too high. */
function lineOf(person: string, game: number, across: number, down: number, pitchOffDeg: number): string {
  const dot = dotAt(across, down);
  const { landmarks, face } = faceSeen({ distanceCm: 60 });
  const truth = truthOf(dot, landmarks, face, CAMERA);
  const looking = faceSeen({
    distanceCm: 60,
    pitchDeg: pitchOffDeg,
    eyeYawDeg: truth.yawDeg,
    eyePitchDeg: truth.pitchDeg,
  });
  const seen = { observation: { score: 1 }, landmarks: [...looking.landmarks] };
  return JSON.stringify({
    person,
    game,
    dotXPx: dot.xPx,
    dotYPx: dot.yPx,
    screenWidthPx: dot.pageWidthPx,
    screenHeightPx: dot.pageHeightPx,
    screenWidthMm: dot.pageWidthMm,
    cameraAboveMm: dot.cameraAboveMm,
    frame: [CAMERA.widthPx, CAMERA.heightPx],
    whole: seen,
    sent192: person === 'lost' ? null : seen,
  });
}

describe('where a person looks who looks at a dot', () => {
  const { landmarks, face } = faceSeen({ distanceCm: 60 });
  const truthAt = (across: number, down: number) => truthOf(dotAt(across, down), landmarks, face, CAMERA);

  it('is image right for a dot at the person’s left, and below the camera', () => {
    expect(truthAt(0, 0.5).yawDeg).toBeCloseTo(16, 0);
    expect(truthAt(1, 0.5).yawDeg).toBeCloseTo(-16, 0);
    expect(truthAt(0.5, 0).pitchDeg).toBeCloseTo(-0.5, 0);
    expect(truthAt(0.5, 1).pitchDeg).toBeCloseTo(-18, 0);
  });

  it('is measured from the line to the camera, wherever the person sits', () => {
    const aside = faceSeen({ distanceCm: 60, centerX: 0.75, centerY: 0.6 });
    const { yawDeg } = truthOf(dotAt(0.5, 0), aside.landmarks, aside.face, CAMERA);
    expect(Math.abs(yawDeg)).toBeLessThan(0.5);
  });
});

describe('the report on dots', () => {
  let dir: string;
  const said: string[] = [];
  const say = { skip: (what: string) => said.push(what), progress: () => undefined };
  const noLooker = null as unknown as Looker;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gaze-relay-dots-'));
  });
  afterAll(() => rm(dir, { recursive: true }));

  const measure = async (lines: readonly string[]) => {
    const file = join(dir, 'dots.jsonl');
    await writeFile(file, `${lines.join('\n')}\n`);
    const frames = await readDots(file, null, noLooker, say);
    if (frames === null) throw new Error(said.join('; '));
    return dotsJson(measureDots(frames));
  };
  const sessions = (person: string, offsDeg: readonly number[]) =>
    offsDeg.flatMap((off, game) => GRID.map(([across, down]) => lineOf(person, game, across, down, off)));

  it('finds everybody on the screen whose gaze is read as it is', async () => {
    const result = await measure([...sessions('A', [0, 0]), ...sessions('B', [0, 0])]);
    const all = { default: 1, ownCentre: 1, after5: 1, before: 1 };
    expect(result).toMatchObject({ n: 64, onScreen: all, asSent: all, closedAlarms: { whole: 0, asSent: 0 } });
    expect(Math.abs(result.pitch.biasDeg)).toBeLessThan(1.5);
    expect(result.yaw.r).toBeGreaterThan(0.98);
    expect(result.perPerson.map(({ person, n }) => [person, n])).toEqual([
      ['A', 32],
      ['B', 32],
    ]);
  });

  it('shows what an own centre and a calibration do for a person who is read 16° too high', async () => {
    const { onScreen, perPerson } = await measure(sessions('A', [16, 16]));
    expect(onScreen.default).toBeLessThan(0.7);
    expect(onScreen.ownCentre).toBeGreaterThan((onScreen.default ?? 1) + 0.2);
    expect(onScreen.after5).toBe(1);
    expect(onScreen.before).toBe(1);
    expect(perPerson[0]?.pitchBiasDeg).toBeGreaterThan(13);
  });

  it('has nothing to say of what is not there, and counts a picture without a face as missed', async () => {
    const { onScreen, asSent } = await measure(sessions('lost', [0]));
    expect(onScreen.before).toBeNull();
    expect(asSent.default).toBe(0);
    expect(asSent.after5).toBe(0);
  });

  it('says which line or column is wrong', async () => {
    await expect(measure([lineOf('A', 1, 0.5, 0.5, 0), '{"person":"A"}'])).rejects.toThrow(/line 2/);
    expect(() => parseDots('path,person\na.jpg,A')).toThrow(/screenWidthMm/);
    const header = 'path,person,session,dotXPx,dotYPx,screenWidthPx,screenHeightPx,screenWidthMm,cameraAboveMm';
    expect(() => parseDots(`${header}\na.jpg,A,1,10,10,1536,864,wide,5`)).toThrow(/row 1: screenWidthMm/);
    expect(parseDots(`${header}\na.jpg,A,1,0,10,1536,864,344,5`)).toMatchObject([{ path: 'a.jpg', dot: { xPx: 0 } }]);
  });

  it('needs the pictures that a file of dots names', async () => {
    expect(await readDots(join(dir, 'dots.csv'), null, noLooker, say)).toBeNull();
    expect(said.at(-1)).toContain('--images');
  });
});

it('takes the truth’s camera for one of 65° across the diagonal', () => {
  expect(focalLengthPx(CAMERA, 64.8)).toBeCloseTo(FOCAL_PX, 0);
});
