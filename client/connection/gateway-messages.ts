import type { CalibrationStatus, PointResult } from '../../shared/protocol/calibration.ts';
import type { Limits, ServerControl } from '../../shared/protocol/control.ts';
import { parseControlText } from '../../shared/protocol/control-text.ts';
import { ProtocolError } from '../../shared/protocol/errors.ts';

// The schemas of shared/protocol/control.ts again, by hand: zod would be more than half of the script that every
// student downloads. The types come from the schemas, so a field that is missing here does not compile; a property
// test holds that both accept and refuse the same.

/** Returns the value as it is used; throws ProtocolError `control_invalid`. `path` names it in the message. */
type Check<T> = (value: unknown, path: string) => T;

/** Versions 1–8 of RFC 9562, nil and max. */
const UUID =
  /^([0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|0{8}(-0{4}){3}-0{12}|f{8}(-f{4}){3}-f{12})$/i;
const MAX_CAPTURE_MS = 0xffff_ffff;

function when<T>(isGood: (value: unknown) => value is T): Check<T> {
  return (value, path) => {
    if (isGood(value)) return value;
    throw new ProtocolError('control_invalid', `${path}: invalid`);
  };
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const text = when(isText);
const flag = when((value) => typeof value === 'boolean');
const uuid = when((value): value is string => isText(value) && UUID.test(value));

function number(min: number, max = Number.MAX_VALUE): Check<number> {
  return when((value): value is number => typeof value === 'number' && value >= min && value <= max);
}

function whole(min: number, max = Number.MAX_SAFE_INTEGER): Check<number> {
  return when((value): value is number => Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max);
}

function oneOf<T extends string>(words: readonly T[]): Check<T> {
  return when((value): value is T => words.some((word) => word === value));
}

function nullable<T>(check: Check<T>): Check<T | null> {
  return (value, path) => (value === null ? null : check(value, path));
}

function nullByDefault<T>(check: Check<T>): Check<T | null> {
  return (value, path) => (value === null || value === undefined ? null : check(value, path));
}

function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value, path) => (value === undefined ? undefined : check(value, path));
}

function list<T>(check: Check<T>): Check<T[]> {
  const array = when((value): value is unknown[] => Array.isArray(value));
  return (value, path) => array(value, path).map((item, index) => check(item, `${path}.${index}`));
}

function emptyByDefault<T>(check: Check<T[]>): Check<T[]> {
  return (value, path) => (value === undefined ? [] : check(value, path));
}

/** An object with these fields; others, which a newer gateway may send, are left out. */
function object<T>(fields: { readonly [Key in keyof T]-?: Check<T[Key]> }): Check<T> {
  const record = when(isRecord);
  return (value, path) => {
    const given = record(value, path);
    const checked = {} as T;
    for (const key in fields) {
      const one = fields[key](given[key], `${path}.${key}`);
      if (one !== undefined) checked[key] = one;
    }
    return checked;
  };
}

const captureMs = whole(0, MAX_CAPTURE_MS);
const errorDeg = nullable(number(0));
const totals = object({ focusedMs: captureMs, unfocusedMs: captureMs, unknownMs: captureMs, untrackedMs: captureMs });
const limits = object<Limits>({
  maxFps: number(0, 60),
  credit: whole(1, 16),
  imageSizePx: whole(64, 1280),
  maxFrameBytes: whole(1024),
});
const calibration = object<CalibrationStatus>({
  version: whole(1),
  ageMs: whole(0),
  yawErrorDeg: errorDeg,
  pitchErrorDeg: errorDeg,
});
const points = list(object<PointResult>({ ok: flag, readings: whole(0) }));

const CHECKS: { readonly [Type in ServerControl['type']]: Check<Extract<ServerControl, { type: Type }>> } = {
  welcome: object({
    type: oneOf(['welcome']),
    sessionId: uuid,
    epoch: whole(0),
    resume: text,
    late: optional(text),
    resumed: flag,
    clockMs: captureMs,
    totals,
    limits,
    calibration: nullByDefault(calibration),
    features: emptyByDefault(list(text)),
  }),
  started: object({ type: oneOf(['started']), atMs: captureMs }),
  stopped: object({ type: oneOf(['stopped']), sessionId: uuid, totals, saved: flag }),
  limits: object({ type: oneOf(['limits']), limits, reason: text }),
  calibrated: object({
    type: oneOf(['calibrated']),
    version: whole(1),
    yawErrorDeg: errorDeg,
    pitchErrorDeg: errorDeg,
    points,
    applied: flag,
    kept: flag,
  }),
  calibration_refused: object({
    type: oneOf(['calibration_refused']),
    reason: oneOf(['too_few_readings', 'not_open', 'interrupted', 'rule']),
    points,
    message: text,
  }),
  error: object({
    type: oneOf(['error']),
    code: text,
    message: text,
    fatal: flag,
    retry: flag,
    seq: nullable(whole(0, 0xffff)),
  }),
};

const messageType = oneOf(Object.keys(CHECKS) as ServerControl['type'][]);

/** Reads a text message of the gateway. Throws ProtocolError `control_not_json` or `control_invalid`. */
export function parseGatewayMessage(messageText: string): ServerControl {
  const message = when(isRecord)(parseControlText(messageText), 'message');
  return CHECKS[messageType(message.type, 'type')](message, 'message');
}
