import { ladderOf } from '../../client/connection/pacing/formats.ts';
import { decode, type Looker } from './look.ts';
import { resend, type SendingWay, wayName } from './resend.ts';
import { measureSynthetic, type SeenFrame, type SyntheticResult } from './synthetic/measure.ts';

/** Every rendered frame in one way of sending it. */
export interface SentRow {
  /** Null: the whole frame as the camera gave it. */
  readonly way: SendingWay | null;
  /** Analysed where the previous frame had the face, as a session's frames are; else found by the detector. */
  readonly guided: boolean;
  /** Mean over the frames that hold a face. */
  readonly meanBytes: number;
  readonly result: SyntheticResult;
}

/** What pages send: every step of the ladder as WebP, and the best one as JPEG, for browsers that encode no WebP. */
const PAGE_FORMATS = [...ladderOf('webp'), ...ladderOf('jpeg').slice(0, 1)];
const BEST = ladderOf('webp').slice(0, 1);

/** The best step hardly compressed, and in colour, follow: they tell what drawing, compression and grey do. */
const SENT_WAYS: readonly SendingWay[] = [
  ...PAGE_FORMATS.map((format) => ({ ...format, grey: true })),
  ...BEST.map((format) => ({ ...format, grey: true, quality: 0.9 })),
  ...BEST.map((format) => ({ ...format, grey: false })),
];

/** A rendered frame, its file, and what was seen of it whole. */
interface Drawn {
  readonly frame: SeenFrame;
  readonly jpeg: Uint8Array;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

async function measureWay(drawn: readonly Drawn[], way: SendingWay | null, looker: Looker): Promise<SentRow> {
  const bytes: number[] = [];
  const seen: SeenFrame[] = [];
  for (const { frame, jpeg } of drawn) {
    const { observation } = frame;
    const shot = await decode(jpeg);
    const whole = observation.face === null ? null : { shot, bytes: jpeg.length };
    const sent = way === null ? whole : await resend(shot, observation, way);
    if (sent === null) {
      seen.push(frame);
      continue;
    }
    bytes.push(sent.bytes);
    const { observation: guided } = await looker.next(sent.shot, observation.face?.nextRoi ?? null);
    seen.push({ ...frame, observation: guided });
  }
  return { way, guided: true, meanBytes: meanOf(bytes), result: measureSynthetic(seen) };
}

/**
 * Gaze and verdicts of rendered frames: whole, whole and guided, then as pages send them. `frames` and their `jpegs`
 * are in one order; frames in which no face was seen give nothing to cut out and stay as they are in every row.
 */
export async function measureSent(
  frames: readonly SeenFrame[],
  jpegs: readonly Uint8Array[],
  looker: Looker,
  progress: (text: string) => void,
): Promise<readonly SentRow[]> {
  const drawn = frames.map((frame, i): Drawn => ({ frame, jpeg: jpegs[i] ?? new Uint8Array() }));
  const rows: SentRow[] = [];
  for (const way of [null, ...SENT_WAYS]) {
    progress(`as sent: ${wayName(way)}`);
    rows.push(await measureWay(drawn, way, looker));
  }
  const meanBytes = rows[0]?.meanBytes ?? Number.NaN;
  return [{ way: null, guided: false, meanBytes, result: measureSynthetic(frames) }, ...rows];
}
