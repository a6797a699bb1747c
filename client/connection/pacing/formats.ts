import type { FrameSize } from '../../../shared/geometry.ts';
import type { Codec } from '../../../shared/protocol/frames.ts';

/** How a picture is drawn and encoded. */
export interface PictureFormat {
  /** Longer side of a face crop, px. The mesh model's input is 192 px: more gains nothing. */
  readonly sizePx: number;
  /** 0–1, as canvas encoders take it. */
  readonly quality: number;
  readonly codec: Codec;
}

/** A step of the ladder, best first. */
interface Step {
  readonly sizePx: number;
  readonly quality: number;
  /** Taken where at least this many pictures a second can be afforded in it. */
  readonly fromFps: number;
  /** Mean bytes of a grey face crop (docs/accuracy.md, "How small a face may be sent"). */
  readonly bytes: Readonly<Record<Codec, number>>;
}

/**
 * Rate gives way first, then size, then quality. 192 px at quality 0.4 costs gaze 0.1° of a still head and 0.8° of a moving one
 * against pictures unharmed; 160 px takes a seventh less and 128 px a third less, and both are 0.6° worse at most
 * (docs/accuracy.md, "Gaze from pictures as they are sent").
 */
const LADDER: readonly Step[] = [
  { sizePx: 192, quality: 0.4, fromFps: 3.5, bytes: { jpeg: 1662, webp: 744 } },
  { sizePx: 160, quality: 0.45, fromFps: 3, bytes: { jpeg: 1432, webp: 641 } },
  { sizePx: 128, quality: 0.45, fromFps: 2, bytes: { jpeg: 1118, webp: 498 } },
  { sizePx: 128, quality: 0.35, fromFps: 0, bytes: { jpeg: 997, webp: 438 } },
];

/** Every step of the ladder in `codec`, best first. */
export function ladderOf(codec: Codec): readonly PictureFormat[] {
  return LADDER.map(({ sizePx, quality }) => ({ sizePx, quality, codec }));
}

/** First step with `lessData`: "lean" in the table. */
const SAVER_STEP = 1;
/** A better step must be affordable by this much more than it asks: no to and fro at an edge. */
const CLIMB_MARGIN = 1.2;
/** Headers around a message on the wire: WebSocket 8, TLS 22, TCP and IP 52, rounded. */
export const OVERHEAD_BYTES = 80;
/** Pixels of the crop that the table's bytes are of, at its best step. */
const FULL_CROP_PX = 192 * 192;
/** Bytes of a picture grow by this power of its pixels (the table's 128, 160 and 192 px rows). */
const BYTES_EXPONENT = 0.6;

/** What bounds the choice from outside. */
export interface FormatBounds {
  readonly lessData: boolean;
  /** True where the browser truly encodes WebP. */
  readonly webp: boolean;
}

/**
 * Step and codec for an allowance in bytes per second. `scale` is how large this student's pictures
 * are against the table (1 = as there); `previous` the step and codec in use.
 */
export function chooseFormat(
  allowanceBps: number,
  scale: number,
  bounds: FormatBounds,
  previous: FormatChoice,
): FormatChoice {
  const codec = codecOf(bounds);
  const first = bounds.lessData ? SAVER_STEP : 0;
  const step = LADDER.findIndex(({ bytes, fromFps }, index) => {
    const fps = allowanceBps / (bytes[codec] * scale + OVERHEAD_BYTES);
    return index >= first && fps >= fromFps * (index < previous.step ? CLIMB_MARGIN : 1);
  });
  return { step: step === -1 ? LADDER.length - 1 : step, codec };
}

/** A place on the ladder. */
export interface FormatChoice {
  readonly step: number;
  readonly codec: Codec;
}

/** Smallest pictures in the codec that every browser has: what is known to fit is raised from there. */
export const LOWEST_CHOICE: FormatChoice = { step: LADDER.length - 2, codec: 'jpeg' };

/** WebP takes half of JPEG's bytes. */
function codecOf({ webp }: FormatBounds): Codec {
  return webp ? 'webp' : 'jpeg';
}

/** Bytes per second from which this student's pictures are the best ones; `scale` as for chooseFormat. */
export function goodAllowanceBps(bounds: FormatBounds, scale: number): number {
  const { bytes, fromFps } = stepAt(0);
  return fromFps * (bytes[codecOf(bounds)] * scale + OVERHEAD_BYTES);
}

/** The format of a choice; `mostQuality` 0–1 is the page's upper bound. */
export function formatOf({ step, codec }: FormatChoice, mostQuality: number): PictureFormat {
  const { sizePx, quality } = stepAt(step);
  return { sizePx, quality: Math.min(quality, mostQuality), codec };
}

/** Bytes that a picture of `size` is expected to have in a choice, by the table alone. */
export function tableBytes({ step, codec }: FormatChoice, size: FrameSize): number {
  const { sizePx, bytes } = stepAt(step);
  const atFullCrop = bytes[codec] * (FULL_CROP_PX / sizePx ** 2) ** BYTES_EXPONENT;
  return atFullCrop * ((size.widthPx * size.heightPx) / FULL_CROP_PX) ** BYTES_EXPONENT;
}

function stepAt(step: number): Step {
  const found = LADDER[step];
  if (found === undefined) throw new RangeError(`the ladder has no step ${step}`);
  return found;
}
