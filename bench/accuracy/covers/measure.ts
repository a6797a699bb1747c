import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { splitMjpeg } from '../../../harness/mjpeg.ts';
import { encodePicture } from '../../../harness/page-pictures.ts';
import { seededRandom } from '../../../harness/random.ts';
import { createFocusTracker, observeSample, settle, totalsOf } from '../../../shared/focus/tracker.ts';
import type { FaceRoi } from '../../../shared/geometry.ts';
import type { FaceObservation } from '../../../shared/observation.ts';
import { roiFromLandmarks } from '../../../shared/vision/roi.ts';
import { decode, type Looker, type Shot } from '../look.ts';
import { resend, type SendingWay } from '../resend.ts';
import { type Cover, drawCover } from './draw.ts';

/** Seconds booked of a stretch in which eyes or lens are covered. */
export interface CoverRow {
  readonly name: string;
  /** Null: the camera's own frames. */
  readonly way: SendingWay | null;
  readonly seconds: number;
  readonly focusedSeconds: number;
  readonly unfocusedSeconds: number;
  readonly unknownSeconds: number;
}

const SECONDS = 8;
const FRAMES_PER_SECOND = 5;
const CLIP_FRAMES_PER_SECOND = 10;
const CLIPS = ['cap12.mjpeg', 'cap13.mjpeg'];
const EYE_COVERS: readonly Cover[] = ['dark', 'glare', 'window'];
const SENT: SendingWay = { sizePx: 192, quality: 0.4, codec: 'webp', grey: true };
/** Longer side of the whole frame that a page sends while there is no face, px. */
const WHOLE_SIZE_PX = 256;

type Change = (shot: Shot, landmarks: Float32Array) => Promise<Shot>;

function pixelsOf(shot: Shot, of: (value: number, at: number) => number): Shot {
  const { data } = shot.image;
  return { ...shot, image: { ...shot.image, data: Uint8ClampedArray.from(data, of) } };
}

function noise(deviation: number, random: () => number): () => number {
  return () => deviation * 2 * (random() + random() + random() - 1.5);
}

/** What can be before a lens: tape and a cap with a sensor's noise, light that blinds it, a film or breath on it. */
function lensCovers(seed: number): readonly { readonly name: string; readonly change: Change }[] {
  const random = seededRandom(seed);
  const grain = noise(5, random);
  const strong = noise(12, random);
  return [
    { name: 'lens capped, noise', change: async (shot) => pixelsOf(shot, () => 10 + strong()) },
    { name: 'lens taped, grey', change: async (shot) => pixelsOf(shot, () => 95 + grain()) },
    { name: 'lens burnt out', change: async (shot) => pixelsOf(shot, (value) => value * 8 + 120) },
    {
      name: 'lens blurred',
      change: async (shot) => {
        const { data, widthPx, heightPx, channels } = shot.image;
        const blurred = await sharp(data, { raw: { width: widthPx, height: heightPx, channels } })
          .blur(widthPx / 25)
          .raw()
          .toBuffer();
        return pixelsOf({ ...shot, image: { ...shot.image, data: blurred } }, (value) => value + grain() / 3);
      },
    },
  ];
}

async function asSent(shot: Shot, before: FaceObservation | null): Promise<Shot> {
  const crop = before === null ? null : await resend(shot, before, SENT);
  if (crop !== null) return crop.shot;
  const { data, widthPx, heightPx, channels } = shot.image;
  const drawn = sharp(data, { raw: { width: widthPx, height: heightPx, channels } }).resize({ width: WHOLE_SIZE_PX });
  const arrived = await decode(await encodePicture(drawn, SENT));
  return { ...shot, image: arrived.image };
}

/** Time by kind when a session sees nothing but these frames. */
async function book(name: string, shots: readonly Shot[], way: SendingWay | null, looker: Looker): Promise<CoverRow> {
  let state = createFocusTracker({ rule: 'geometric' });
  let before: FaceObservation | null = null;
  let hint: FaceRoi | null = null;
  for (const [i, shot] of shots.entries()) {
    const seen = await looker.next(way === null ? shot : await asSent(shot, before), hint);
    before = seen.observation;
    hint = before.face?.nextRoi ?? null;
    state = observeSample(state, { atMs: (i * 1000) / FRAMES_PER_SECOND, observation: before });
  }
  const { focusedMs, unfocusedMs, unknownMs } = totalsOf(settle(state, SECONDS * 1000));
  return {
    name,
    way,
    seconds: SECONDS,
    focusedSeconds: focusedMs / 1000,
    unfocusedSeconds: unfocusedMs / 1000,
    unknownSeconds: unknownMs / 1000,
  };
}

/**
 * Eight seconds of the clips with eyes or lens covered, through the tracker as in a session. Whatever is booked
 * as focused or unfocused is invented, but with one eye patched, where the man watches his screen.
 */
export async function measureCovers(clipsDir: string, looker: Looker): Promise<readonly CoverRow[]> {
  const rows: CoverRow[] = [];
  for (const [c, clip] of CLIPS.entries()) {
    const jpegs = splitMjpeg(await readFile(join(clipsDir, clip)));
    const step = CLIP_FRAMES_PER_SECOND / FRAMES_PER_SECOND;
    const shots: Shot[] = [];
    const faces: Float32Array[] = [];
    for (let i = 0; i < SECONDS * FRAMES_PER_SECOND; i++) {
      const shot = await decode(jpegs[i * step] ?? new Uint8Array());
      const last = faces.at(-1);
      const { landmarks } = await looker.next(shot, last === undefined ? null : roiFromLandmarks(last));
      if (landmarks === null) continue;
      shots.push(shot);
      faces.push(landmarks);
    }
    const changes: { name: string; change: Change }[] = [...lensCovers(c + 1)];
    for (const cover of [...EYE_COVERS, 'patch'] as const) {
      // Three of each kind, each the same through all of its frames.
      for (let look = 1; look <= 3; look++) {
        changes.push({
          name: cover === 'patch' ? 'one eye patched' : `eyes behind ${cover}`,
          change: async (shot, face) => (await drawCover(shot, face, cover, seededRandom(100 * c + look))).shot,
        });
      }
    }
    for (const { name, change } of changes) {
      const changed = await Promise.all(shots.map((shot, i) => change(shot, faces[i] ?? new Float32Array())));
      for (const way of [null, SENT]) rows.push(await book(`${name} (${clip.slice(0, 5)})`, changed, way, looker));
    }
  }
  return rows;
}
