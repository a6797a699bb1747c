import * as z from 'zod';
import { MODES } from '../direction.ts';
import { PAUSE_REASONS } from '../pause.ts';
import {
  calibrationAnswerSchemas,
  calibrationRequestSchemas,
  calibrationStatusSchema,
  captureMsSchema,
} from './calibration.ts';
import { parseControlText } from './control-text.ts';
import { closeCodeOf, PROTOCOL_FAULTS, ProtocolError } from './errors.ts';
import { assertAgreed, FEATURE_GATES, type FeatureGate, MAX_FEATURE_CHARS, MAX_FEATURES } from './features.ts';
import { SUBPROTOCOL } from './version.ts';

const durationMs = captureMsSchema;
const sizePx = z.int().min(16).max(8192);

export const sectionIdSchema = z.int().min(1).max(2_147_483_647).nullable();
const cameraSchema = z.strictObject({ widthPx: sizePx, heightPx: sizePx });

/** First message of a connection (C-2). */
export const helloSchema = z.strictObject({
  type: z.literal('hello'),
  protocol: z.literal(SUBPROTOCOL),
  ticket: z.string().min(1).max(4096),
  /** Token of an earlier `welcome`, to resume that session. */
  resume: z.string().min(1).max(4096).nullable().default(null),
  /** Name and version of the client, for the operator's log. */
  client: z.string().max(80).default('unknown'),
  /** Random id that the browser made once: calibrations are stored for it (K-7). */
  device: z.uuid().toLowerCase().nullable().default(null),
  /** Features that the client has beyond the first v1 (V-2); unknown names are ignored. */
  features: z.array(z.string().min(1).max(MAX_FEATURE_CHARS)).max(MAX_FEATURES).optional(),
});

/** The page's screen, CSS pixels; 0 where the browser hides them. */
const screenHintSchema = z.strictObject({
  widthPx: z.int().min(0).max(100_000),
  heightPx: z.int().min(0).max(100_000),
});

/** Capture begins, or the camera's frame size changed: the session clock starts at the first one. */
export const startSchema = z.strictObject({
  type: z.literal('start'),
  sectionId: sectionIdSchema.default(null),
  camera: cameraSchema,
  screen: screenHintSchema.optional(),
  mode: z.enum(MODES).default('server'),
  /** Capture clock at this moment: 0 at the session's first start. */
  atMs: durationMs.default(0),
});

/** The student moved to another lesson section; session and camera continue. */
export const sectionSchema = z.strictObject({
  type: z.literal('section'),
  sectionId: sectionIdSchema,
  atMs: durationMs,
});

/** Capture ended on purpose at this moment of the capture clock. */
export const stopSchema = z.strictObject({
  type: z.literal('stop'),
  atMs: durationMs,
  /** Why, where a `start` may follow. */
  reason: z.enum(PAUSE_REASONS).optional(),
});

export const clientControlSchema = z.discriminatedUnion('type', [
  helloSchema,
  startSchema,
  sectionSchema,
  stopSchema,
  ...calibrationRequestSchemas,
]);
export type ClientControl = z.infer<typeof clientControlSchema>;
export type Hello = z.infer<typeof helloSchema>;

export const limitsSchema = z.object({
  maxFps: z.number().min(0).max(60),
  credit: z.int().min(1).max(16),
  imageSizePx: z.int().min(64).max(1280),
  maxFrameBytes: z.int().min(1024),
});
export type Limits = z.infer<typeof limitsSchema>;

const totalsSchema = z.object({
  focusedMs: durationMs,
  unfocusedMs: durationMs,
  unknownMs: durationMs,
  untrackedMs: durationMs,
});

const welcomeSchema = z.object({
  type: z.literal('welcome'),
  sessionId: z.uuid(),
  epoch: z.int().min(0),
  /** Present this in the next `hello` to resume the session. */
  resume: z.string(),
  /** Present this in a later `hello` to deliver late messages of this session only (feature `late`, L-7). */
  late: z.string().optional(),
  /** True when this connection resumes an earlier session. */
  resumed: z.boolean(),
  /** Capture clock the gateway has reached: a resumed client continues from here or later. */
  clockMs: durationMs,
  totals: totalsSchema,
  limits: limitsSchema,
  /** The calibration in use; null without one. */
  calibration: calibrationStatusSchema.nullable().default(null),
  /** Features of `hello` that this gateway has too: those hold on this connection (V-2). */
  features: z.array(z.string()).default([]),
});

const startedSchema = z.object({ type: z.literal('started'), atMs: durationMs });

const stoppedSchema = z.object({
  type: z.literal('stopped'),
  sessionId: z.uuid(),
  totals: totalsSchema,
  /** True once the last window is on the gateway's disk. */
  saved: z.boolean(),
});

const errorSchema = z.object({
  type: z.literal('error'),
  /** One of PROTOCOL_FAULT_NAMES, or of a newer gateway's: `fatal` and `retry` say what follows from it. */
  code: z.string(),
  message: z.string(),
  /** The connection closes after this message. */
  fatal: z.boolean(),
  /** The client should connect again by itself. */
  retry: z.boolean(),
  /** Sequence number of the refused frame, where there is one. */
  seq: z.int().min(0).max(65_535).nullable(),
});

export const serverControlSchema = z.discriminatedUnion('type', [
  welcomeSchema,
  startedSchema,
  stoppedSchema,
  z.object({ type: z.literal('limits'), limits: limitsSchema, reason: z.string() }),
  ...calibrationAnswerSchemas,
  errorSchema,
]);
export type ServerControl = z.infer<typeof serverControlSchema>;

/**
 * Reads a client's text message on a connection with these agreed features. Throws ProtocolError `control_not_json` or
 * `control_invalid`, the latter also for what needs a feature that was not agreed.
 */
export function parseClientControl(
  text: string,
  agreed: readonly string[] = [],
  gates: readonly FeatureGate[] = FEATURE_GATES,
): ClientControl {
  const given = parseControlText(text);
  const result = clientControlSchema.safeParse(given);
  if (result.success) {
    assertAgreed(given as Readonly<Record<string, unknown>>, agreed, gates);
    return result.data;
  }
  throw new ProtocolError('control_invalid', describeIssues(result.error));
}

/** Reads the gateway's text message. Throws ProtocolError `control_not_json` or `control_invalid`. */
export function parseServerControl(text: string): ServerControl {
  const result = serverControlSchema.safeParse(parseControlText(text));
  if (result.success) return result.data;
  throw new ProtocolError('control_invalid', describeIssues(result.error));
}

function describeIssues(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'message'}: ${issue.message}`).join('; ');
}

/** The `error` control message for a fault. */
export function faultMessage(
  error: ProtocolError,
  seq: number | null = null,
): Extract<ServerControl, { type: 'error' }> {
  const { retry } = PROTOCOL_FAULTS[error.fault];
  return { type: 'error', code: error.fault, message: error.message, fatal: closeCodeOf(error) !== null, retry, seq };
}
