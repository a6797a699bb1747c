import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGatewayMessage } from '../../../client/connection/gateway-messages.ts';
import { faultMessage, parseServerControl, type ServerControl } from '../../../shared/protocol/control.ts';
import { PROTOCOL_FAULT_NAMES, ProtocolError } from '../../../shared/protocol/errors.ts';
import { SESSION, welcome } from '../support/harness.ts';

const TOTALS = { focusedMs: 1, unfocusedMs: 2, unknownMs: 3, untrackedMs: 0xffff_ffff };
const POINTS = [
  { ok: true, readings: 5 },
  { ok: false, readings: 0 },
];

/** At least one valid message of each type, and of each shape that a type has. */
const MESSAGES: { readonly [Type in ServerControl['type']]: readonly Extract<ServerControl, { type: Type }>[] } = {
  welcome: [
    welcome(),
    welcome({ features: ['a-feature', 'another'] }),
    welcome({ resumed: true, calibration: { version: 1, ageMs: 5, yawErrorDeg: 2.5, pitchErrorDeg: null } }),
  ],
  started: [{ type: 'started', atMs: 7 }],
  stopped: [{ type: 'stopped', sessionId: SESSION, totals: TOTALS, saved: true }],
  limits: [
    { type: 'limits', limits: { maxFps: 2.5, credit: 1, imageSizePx: 128, maxFrameBytes: 9000 }, reason: 'busy' },
  ],
  calibrated: [
    {
      type: 'calibrated',
      version: 1,
      yawErrorDeg: 2.5,
      pitchErrorDeg: 3.5,
      points: POINTS,
      applied: true,
      kept: false,
    },
  ],
  calibration_refused: [
    { type: 'calibration_refused', reason: 'too_few_readings', points: POINTS, message: 'look again' },
    { type: 'calibration_refused', reason: 'rule', points: [], message: '' },
  ],
  error: [{ type: 'error', code: 'image_corrupt', message: 'no picture', fatal: false, retry: false, seq: 3 }],
};
const VALID: readonly ServerControl[] = Object.values(MESSAGES).flat();

/** Values around every bound of the protocol, and of every JSON type. */
const EDGES: readonly unknown[] = [
  ...[0, 1, 16, 60, 64, 1024, 1280, 0xffff, 0xffff_ffff, Number.MAX_SAFE_INTEGER].flatMap((bound) => [
    bound - 1,
    bound - 0.5,
    bound,
    bound + 0.5,
    bound + 1,
  ]),
  // Beyond what a number holds: JSON.parse makes Infinity of it.
  Number.MAX_VALUE,
  1e308,
  null,
  true,
  false,
  '',
  'welcome',
  'error',
  'superseded',
  'not_open',
  'toString',
  '__proto__',
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  SESSION.toUpperCase(),
  SESSION.replace('-4', '-9'),
  SESSION.replace('-8', '-c'),
  `${SESSION}\n`,
  [],
  [[]],
  [{ ok: true, readings: 1 }],
  [{ ok: 1, readings: 1 }],
  {},
  { focusedMs: 0, unfocusedMs: 0, unknownMs: 0, untrackedMs: 0 },
  { version: 1, ageMs: 0, yawErrorDeg: null, pitchErrorDeg: -1 },
];

type Path = readonly (string | number)[];

function pathsOf(value: unknown): Path[] {
  if (typeof value !== 'object' || value === null) return [[]];
  return [[], ...Object.entries(value).flatMap(([key, part]) => pathsOf(part).map((path) => [key, ...path]))];
}

const REMOVED = Symbol('removed');

/** A copy of `value` with what is at `path` replaced, or removed. */
function changed(value: unknown, [key, ...rest]: Path, replacement: unknown): unknown {
  if (key === undefined) return replacement === REMOVED ? null : replacement;
  const copy = structuredClone(value) as Record<string | number, unknown>;
  if (rest.length === 0 && replacement === REMOVED) delete copy[key];
  else copy[key] = changed(copy[key], rest, replacement);
  return copy;
}

function outcome(read: (text: string) => ServerControl, text: string): ServerControl | string {
  try {
    return read(text);
  } catch (error) {
    if (error instanceof ProtocolError) return error.fault;
    throw error;
  }
}

const isSame = (text: string): boolean =>
  isDeepStrictEqual(outcome(parseGatewayMessage, text), outcome(parseServerControl, text));

describe('messages of the gateway as the browser checks them', () => {
  it.each(VALID)('reads $type', (message) => {
    expect(parseGatewayMessage(JSON.stringify(message))).toEqual(message);
  });

  it.each(PROTOCOL_FAULT_NAMES)('reads the fault %s', (fault) => {
    const message = faultMessage(new ProtocolError(fault, 'what is wrong'), 3);
    expect(parseGatewayMessage(JSON.stringify(message))).toEqual(message);
  });

  it('reads a fault of a newer gateway, whose name it does not know', () => {
    const message = { type: 'error', code: 'newer_fault', message: 'ended', fatal: true, retry: false, seq: null };
    expect(parseGatewayMessage(JSON.stringify(message))).toEqual(message);
  });

  it('leaves out fields that it does not know, as newer gateways may send them', () => {
    const [message] = MESSAGES.limits;
    const newer = { ...message, limits: { ...message?.limits, newer: 1 }, newer: {} };
    expect(parseGatewayMessage(JSON.stringify(newer))).toEqual(message);
  });

  it.each(VALID)('accepts and refuses each edge value in each field of $type as the schemas do', (message) => {
    const texts = pathsOf(message).flatMap((path) =>
      [REMOVED, ...EDGES].map((value) => JSON.stringify(changed(message, path, value))),
    );
    expect(texts.filter((text) => !isSame(text))).toEqual([]);
  });

  it('so is any change of any two fields', () => {
    const change = fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(REMOVED, ...EDGES), fc.jsonValue()));
    fc.assert(
      fc.property(fc.constantFrom(...VALID), fc.array(change, { minLength: 1, maxLength: 2 }), (message, changes) => {
        let value: unknown = message;
        for (const [index, replacement] of changes) {
          const paths = pathsOf(value);
          value = changed(value, paths[index % paths.length] ?? [], replacement);
        }
        return isSame(JSON.stringify(value));
      }),
      { numRuns: 2000 },
    );
  });

  it('so is any JSON, and what is none', () => {
    fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), isSame));
    const long = `{"type":"started","atMs":0${' '.repeat(8200)}}`;
    const beyond = JSON.stringify(MESSAGES.calibrated[0]).replace('2.5', '1e999');
    const texts = ['', '{', 'null', '[]', '{"type":"welcome"}', beyond, long];
    expect(texts.filter((text) => !isSame(text))).toEqual([]);
  });

  it('says which field is wrong', () => {
    const text = JSON.stringify(
      welcome({ limits: { maxFps: 5, credit: 17, imageSizePx: 192, maxFrameBytes: 60_000 } }),
    );
    expect(() => parseGatewayMessage(text)).toThrow('message.limits.credit');
  });
});
