import { RelayError } from './errors.ts';
import type { FaceRoi, FrameSize, RectPx } from './geometry.ts';
import {
  decodeObservation,
  decodeRoi,
  encodeObservation,
  encodeRoi,
  type FaceObservation,
  OBSERVATION_BYTES,
  ROI_BYTES,
} from './observation.ts';
import { RECT_BYTES, readRect, writeRect } from './rect-wire.ts';

/**
 * The link between gateway and inference: binary WebSocket messages, big-endian, many requests in
 * flight at once. A request holds all that inference needs; nothing of a student stays there.
 */
export const LINK_VERSION = 1;

/** Path and subprotocol of the link's WebSocket. */
export const LINK_PATH = '/link';
export const LINK_SUBPROTOCOL = 'gaze-relay-link.v1';

/** `Authorization` header of the upgrade request where inference has an INFERENCE_SECRET. */
export function linkAuthorization(secret: string): string {
  return `Bearer ${secret}`;
}

const TYPE_REQUEST = 1;
const TYPE_RESPONSE = 2;
const FLAG_ROI = 1;
const FLAG_COUNT_FACES = 2;

const VERSION_BITS = 4;
const TYPE_MASK = 0x0f;
const MAX_U16 = 0xffff;
/** The server's time is sent in hundredths of a millisecond. */
const SERVER_MS_STEPS = 100;

/** Offsets that both messages share. */
const TYPE_OFFSET = 0;
const REQUEST_ID_OFFSET = 4;
/** Of a request. */
const FLAGS_OFFSET = 1;
const BUDGET_MS_OFFSET = 2;
const FRAME_WIDTH_OFFSET = 8;
const FRAME_HEIGHT_OFFSET = 10;
const CROP_OFFSET = 12;
const ROI_OFFSET = CROP_OFFSET + RECT_BYTES;
export const LINK_REQUEST_HEADER_BYTES = ROI_OFFSET + ROI_BYTES;
/** Of a response; bytes 10 and 11 are 0. */
const STATUS_OFFSET = 1;
const SERVER_MS_OFFSET = 2;
const RETRY_AFTER_MS_OFFSET = 8;
export const LINK_RESPONSE_HEADER_BYTES = 12;

/** Outcome of one inference request. The numbers are wire values. */
export const INFERENCE_STATUS = {
  ok: 0,
  /** Not a JPEG or WebP, whatever it is called. */
  imageFormat: 1,
  /** Larger than the limit, judged by the header before any decoding. */
  imageTooLarge: 2,
  /** Header is fine, the picture is not: truncated or corrupt. */
  imageCorrupt: 3,
  /** The queue is full; come back after `retryAfterMs`. */
  busy: 4,
  /** Not begun before its deadline. */
  expired: 5,
  /** The engine failed on this request. */
  engineFailed: 6,
  /** The request itself is malformed. */
  badRequest: 7,
} as const;

export type InferenceStatus = keyof typeof INFERENCE_STATUS;

const STATUS_BY_WIRE = new Map<number, InferenceStatus>(
  Object.entries(INFERENCE_STATUS).map(([name, wire]) => [wire, name as InferenceStatus]),
);

export interface InferenceRequest {
  readonly requestId: number;
  /** Time the requester is willing to wait, ms from the moment the server reads the request. */
  readonly budgetMs: number;
  /** Size of the full camera frame. */
  readonly frame: FrameSize;
  /** The part of the full frame that the image shows, camera pixels. */
  readonly crop: RectPx;
  /** Where the face was in the previous frame, or null to search. */
  readonly roi: FaceRoi | null;
  /** Look for other faces too, although the hint holds. Left out: no. Inference that does not know this does not. */
  readonly countFaces?: boolean;
  /** JPEG or WebP bytes. */
  readonly image: Uint8Array;
}

export type InferenceResponse =
  | {
      readonly requestId: number;
      readonly status: 'ok';
      readonly serverMs: number;
      readonly observation: FaceObservation;
    }
  | {
      readonly requestId: number;
      readonly status: Exclude<InferenceStatus, 'ok'>;
      readonly serverMs: number;
      readonly retryAfterMs: number;
    };

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function clampU16(value: number): number {
  return Math.min(MAX_U16, Math.max(0, Math.round(value)));
}

/** The request's header; the image bytes follow it in the same message. */
export function encodeInferenceRequest(request: InferenceRequest): Uint8Array {
  const bytes = new Uint8Array(LINK_REQUEST_HEADER_BYTES + request.image.byteLength);
  const view = viewOf(bytes);
  view.setUint8(TYPE_OFFSET, (LINK_VERSION << VERSION_BITS) | TYPE_REQUEST);
  view.setUint8(
    FLAGS_OFFSET,
    (request.roi === null ? 0 : FLAG_ROI) | (request.countFaces === true ? FLAG_COUNT_FACES : 0),
  );
  view.setUint16(BUDGET_MS_OFFSET, clampU16(request.budgetMs));
  view.setUint32(REQUEST_ID_OFFSET, request.requestId);
  view.setUint16(FRAME_WIDTH_OFFSET, request.frame.widthPx);
  view.setUint16(FRAME_HEIGHT_OFFSET, request.frame.heightPx);
  writeRect(view, CROP_OFFSET, request.crop);
  if (request.roi !== null) encodeRoi(view, ROI_OFFSET, request.roi);
  bytes.set(request.image, LINK_REQUEST_HEADER_BYTES);
  return bytes;
}

function assertType(view: DataView, type: number, headerBytes: number): void {
  if (view.byteLength < headerBytes) {
    throw new RelayError(
      'link_truncated',
      `a link message has at least ${headerBytes} bytes, this one ${view.byteLength}`,
    );
  }
  const first = view.getUint8(TYPE_OFFSET);
  const version = first >> VERSION_BITS;
  if (version !== LINK_VERSION)
    throw new RelayError('link_version', `link version ${version}, expected ${LINK_VERSION}`);
  const found = first & TYPE_MASK;
  if (found !== type) throw new RelayError('link_type', `link message type ${found}, expected ${type}`);
}

/**
 * Reads a request. The image is a view into `bytes`, not a copy. Throws RelayError `link_truncated`,
 * `link_version`, `link_type`, or `link_geometry` for a frame or crop without area.
 */
export function decodeInferenceRequest(bytes: Uint8Array): InferenceRequest {
  const view = viewOf(bytes);
  assertType(view, TYPE_REQUEST, LINK_REQUEST_HEADER_BYTES);
  const frame = { widthPx: view.getUint16(FRAME_WIDTH_OFFSET), heightPx: view.getUint16(FRAME_HEIGHT_OFFSET) };
  const crop = readRect(view, CROP_OFFSET);
  if (frame.widthPx === 0 || frame.heightPx === 0 || crop.widthPx === 0 || crop.heightPx === 0) {
    throw new RelayError('link_geometry', 'frame and crop must have an area');
  }
  return {
    requestId: view.getUint32(REQUEST_ID_OFFSET),
    budgetMs: view.getUint16(BUDGET_MS_OFFSET),
    frame,
    crop,
    roi: (view.getUint8(FLAGS_OFFSET) & FLAG_ROI) === 0 ? null : decodeRoi(view, ROI_OFFSET),
    ...((view.getUint8(FLAGS_OFFSET) & FLAG_COUNT_FACES) === 0 ? {} : { countFaces: true }),
    image: bytes.subarray(LINK_REQUEST_HEADER_BYTES),
  };
}

/** The id of a request whose body cannot be trusted, so that it can be answered; null if even that is missing. */
export function peekRequestId(bytes: Uint8Array): number | null {
  return bytes.byteLength < REQUEST_ID_OFFSET + 4 ? null : viewOf(bytes).getUint32(REQUEST_ID_OFFSET);
}

export function encodeInferenceResponse(response: InferenceResponse): Uint8Array {
  const ok = response.status === 'ok';
  const bytes = new Uint8Array(LINK_RESPONSE_HEADER_BYTES + (ok ? OBSERVATION_BYTES : 0));
  const view = viewOf(bytes);
  view.setUint8(TYPE_OFFSET, (LINK_VERSION << VERSION_BITS) | TYPE_RESPONSE);
  view.setUint8(STATUS_OFFSET, INFERENCE_STATUS[response.status]);
  view.setUint16(SERVER_MS_OFFSET, clampU16(response.serverMs * SERVER_MS_STEPS));
  view.setUint32(REQUEST_ID_OFFSET, response.requestId);
  view.setUint16(RETRY_AFTER_MS_OFFSET, ok ? 0 : clampU16(response.retryAfterMs));
  if (ok) encodeObservation(view, LINK_RESPONSE_HEADER_BYTES, response.observation);
  return bytes;
}

/** Reads a response. Throws RelayError `link_truncated`, `link_version`, `link_type` or `link_status`. */
export function decodeInferenceResponse(bytes: Uint8Array): InferenceResponse {
  const view = viewOf(bytes);
  assertType(view, TYPE_RESPONSE, LINK_RESPONSE_HEADER_BYTES);
  const wireStatus = view.getUint8(STATUS_OFFSET);
  const status = STATUS_BY_WIRE.get(wireStatus);
  if (status === undefined) throw new RelayError('link_status', `unknown inference status ${wireStatus}`);
  const requestId = view.getUint32(REQUEST_ID_OFFSET);
  const serverMs = view.getUint16(SERVER_MS_OFFSET) / SERVER_MS_STEPS;
  if (status === 'ok') {
    return { requestId, status, serverMs, observation: decodeObservation(view, LINK_RESPONSE_HEADER_BYTES) };
  }
  return { requestId, status, serverMs, retryAfterMs: view.getUint16(RETRY_AFTER_MS_OFFSET) };
}
