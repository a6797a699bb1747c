import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { ladderOf } from '../../../client/connection/pacing/formats.ts';
import { describeError, RelayError } from '../../../shared/errors.ts';
import type { FrameSize } from '../../../shared/geometry.ts';
import type { FaceObservation } from '../../../shared/observation.ts';
import { LANDMARK_VALUES } from '../../../shared/vision/canonical-face.ts';
import { measureFace } from '../../../shared/vision/observe.ts';
import { roiFromLandmarks } from '../../../shared/vision/roi.ts';
import { parseCsv } from '../labels.ts';
import { type Looker, readStill } from '../look.ts';
import { resend } from '../resend.ts';
import { type Dot, type DotFrame, truthOf } from './frame.ts';

/** Where faults and progress are printed. */
export interface Said {
  skip(what: string): void;
  progress(what: string): void;
}

const PROGRESS_EVERY = 100;
const positive = z.number().positive();

/** A picture's face as landmarks alone; null where none was found. */
const seenSchema = z
  .object({ landmarks: z.array(z.number()).length(LANDMARK_VALUES), observation: z.object({ score: z.number() }) })
  .nullish();

const lineSchema = z.object({
  person: z.coerce.string(),
  game: z.coerce.string(),
  dotXPx: z.number(),
  dotYPx: z.number(),
  screenWidthPx: positive,
  screenHeightPx: positive,
  screenWidthMm: positive,
  cameraAboveMm: positive.optional(),
  frame: z.tuple([positive, positive]),
  whole: seenSchema,
  sent192: seenSchema,
});

/** Where a file of landmarks does not say how far above the page the camera is: 19 CSS pixels. */
const CAMERA_ABOVE_PX = 19;

const NOTHING_SEEN: FaceObservation = { face: null, faceCount: 0, detectorRan: true, brightness: 0.5, sharpness: 1 };

/** An observation of landmarks whose picture is not at hand: taken to be bright and sharp. */
function observationOfLandmarks(seen: z.infer<typeof seenSchema>, camera: FrameSize): FaceObservation {
  if (!seen) return NOTHING_SEEN;
  const landmarks = Float32Array.from(seen.landmarks);
  const face = measureFace(landmarks, seen.observation.score, camera, roiFromLandmarks(landmarks));
  return { ...NOTHING_SEEN, face, faceCount: 1, detectorRan: false };
}

function frameOfLine(text: string): DotFrame {
  const line = lineSchema.parse(JSON.parse(text));
  const camera = { widthPx: line.frame[0], heightPx: line.frame[1] };
  const dot: Dot = {
    xPx: line.dotXPx,
    yPx: line.dotYPx,
    pageWidthPx: line.screenWidthPx,
    pageHeightPx: line.screenHeightPx,
    pageWidthMm: line.screenWidthMm,
    cameraAboveMm: line.cameraAboveMm ?? (CAMERA_ABOVE_PX * line.screenWidthMm) / line.screenWidthPx,
  };
  const whole = observationOfLandmarks(line.whole, camera);
  return {
    person: line.person,
    session: line.game,
    dot,
    camera,
    truth:
      whole.face === null || !line.whole
        ? null
        : truthOf(dot, Float32Array.from(line.whole.landmarks), whole.face, camera),
    whole,
    asSent: observationOfLandmarks(line.sent192, camera),
  };
}

/** Frames of a file with one JSON object of landmarks a line. Rejects with RelayError `dots_invalid`, which names the line. */
async function readLandmarks(file: string): Promise<DotFrame[]> {
  const frames: DotFrame[] = [];
  let number = 0;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (text.trim() === '') continue;
    try {
      frames.push(frameOfLine(text));
    } catch (error) {
      throw new RelayError('dots_invalid', `${file}, line ${number}: ${describeError(error)}`, { cause: error });
    }
  }
  return frames;
}

const COLUMNS = [
  'path',
  'person',
  'session',
  'dotXPx',
  'dotYPx',
  'screenWidthPx',
  'screenHeightPx',
  'screenWidthMm',
  'cameraAboveMm',
] as const;
type Column = (typeof COLUMNS)[number];

interface DotRow {
  readonly path: string;
  readonly person: string;
  readonly session: string;
  readonly dot: Dot;
}

/** Rows of a file of dots. Throws RelayError `dots_invalid` for missing columns and for a row without its numbers. */
export function parseDots(text: string): DotRow[] {
  const [header = [], ...lines] = parseCsv(text);
  const names = header.map((name) => name.trim());
  const missing = COLUMNS.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new RelayError('dots_invalid', `columns are missing: ${missing.join(', ')}`, {
      hint: `the first line must name ${COLUMNS.join(', ')}`,
    });
  }
  return lines.map((cells, i) => {
    const cell = (name: Column): string => cells[names.indexOf(name)]?.trim() ?? '';
    const number = (name: Column, isSize = true): number => {
      const value = Number(cell(name));
      if (cell(name) === '' || !Number.isFinite(value) || (isSize && value <= 0)) {
        throw new RelayError('dots_invalid', `row ${i + 1}: ${name} is “${cell(name)}”`);
      }
      return value;
    };
    return {
      path: cell('path'),
      person: cell('person'),
      session: cell('session'),
      dot: {
        xPx: number('dotXPx', false),
        yPx: number('dotYPx', false),
        pageWidthPx: number('screenWidthPx'),
        pageHeightPx: number('screenHeightPx'),
        pageWidthMm: number('screenWidthMm'),
        cameraAboveMm: number('cameraAboveMm', false),
      },
    };
  });
}

/** Frames of a file of dots and the pictures it names, each seen whole and as a page sends it on a good link. */
async function readPictures(file: string, images: string, looker: Looker, said: Said): Promise<DotFrame[]> {
  const rows = parseDots(await readFile(file, 'utf8'));
  const [best] = ladderOf('webp');
  const frames: DotFrame[] = [];
  const unreadable: string[] = [];
  for (const [i, { path, ...row }] of rows.entries()) {
    try {
      const shot = await readStill(resolve(images, path));
      const { observation: whole, landmarks } = await looker.still(shot);
      const sent = best === undefined ? null : await resend(shot, whole, { ...best, grey: true });
      const asSent = sent === null ? whole : (await looker.next(sent.shot, whole.face?.nextRoi ?? null)).observation;
      const truth =
        whole.face === null || landmarks === null ? null : truthOf(row.dot, landmarks, whole.face, shot.frame);
      frames.push({ ...row, camera: shot.frame, truth, whole, asSent });
    } catch (error) {
      unreadable.push(`${path} (${describeError(error)})`);
    }
    if ((i + 1) % PROGRESS_EVERY === 0) said.progress(`dots: ${i + 1} of ${rows.length} pictures`);
  }
  if (unreadable.length > 0)
    said.skip(`dots: ${unreadable.length} pictures cannot be read: ${unreadable.slice(0, 3).join('; ')}`);
  return frames;
}

/**
 * Frames with known dots, in the order of their file: landmarks (`.jsonl`), or a CSV file of dots with a folder of pictures. Null,
 * having said why, where there are none.
 */
export async function readDots(
  file: string,
  images: string | null,
  looker: Looker,
  said: Said,
): Promise<readonly DotFrame[] | null> {
  try {
    const isLandmarks = file.toLowerCase().endsWith('.jsonl');
    if (!isLandmarks && images === null) {
      said.skip('dots: a file of dots needs its pictures (name their folder with --images)');
      return null;
    }
    const frames = isLandmarks ? await readLandmarks(file) : await readPictures(file, images ?? '', looker, said);
    if (frames.length === 0) said.skip('dots: no frame in the file');
    return frames.length === 0 ? null : frames;
  } catch (error) {
    said.skip(`dots: ${describeError(error)}`);
    return null;
  }
}
