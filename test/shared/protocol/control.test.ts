import { describe, expect, it } from 'vitest';
import { faultMessage, parseClientControl, parseServerControl } from '../../../shared/protocol/control.ts';
import { MAX_CONTROL_CHARS } from '../../../shared/protocol/control-text.ts';
import { CLOSE, closeCodeOf, PROTOCOL_FAULT_NAMES, ProtocolError } from '../../../shared/protocol/errors.ts';

function codeOf(text: string): string {
  try {
    parseClientControl(text);
  } catch (error) {
    if (error instanceof ProtocolError) return error.fault;
    throw error;
  }
  return 'none';
}

describe('control messages of the client', () => {
  it('hello needs protocol and ticket; the rest has defaults', () => {
    expect(parseClientControl('{"type":"hello","protocol":"gaze-relay.v1","ticket":"t"}')).toEqual({
      type: 'hello',
      protocol: 'gaze-relay.v1',
      ticket: 't',
      resume: null,
      client: 'unknown',
      device: null,
    });
  });

  it('start carries the camera frame, section, mode and clock', () => {
    const text = JSON.stringify({ type: 'start', camera: { widthPx: 640, heightPx: 480 }, sectionId: 82, atMs: 5 });
    expect(parseClientControl(text)).toEqual({
      type: 'start',
      camera: { widthPx: 640, heightPx: 480 },
      sectionId: 82,
      mode: 'server',
      atMs: 5,
    });
  });

  it.each([
    ['C-3 not JSON', 'frame', 'control_not_json'],
    ['C-3 a base64 picture of the old client', 'data:image/jpeg;base64,/9j/4AAQ', 'control_not_json'],
    ['C-3 no object', '[]', 'control_invalid'],
    ['C-3 unknown type', '{"type":"video_frame"}', 'control_invalid'],
    ['C-3 unknown field', '{"type":"stop","atMs":1,"userId":7}', 'control_invalid'],
    ['C-3 other protocol', '{"type":"hello","protocol":"gaze-relay.v2","ticket":"t"}', 'control_invalid'],
    ['C-3 section 0', '{"type":"section","sectionId":0,"atMs":1}', 'control_invalid'],
    ['C-3 negative clock', '{"type":"stop","atMs":-1}', 'control_invalid'],
    ['C-3 too long', `{"type":"hello","client":"${'x'.repeat(MAX_CONTROL_CHARS)}"}`, 'control_invalid'],
  ])('%s', (_name, text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  it('C-3 the fault names the field', () => {
    expect(() => parseClientControl('{"type":"stop","atMs":"soon"}')).toThrow(/atMs/);
  });
});

describe('faults', () => {
  it.each(PROTOCOL_FAULT_NAMES)('X-1 %s can be told to the client', (fault) => {
    const error = new ProtocolError(fault, 'why');
    const message = parseServerControl(JSON.stringify(faultMessage(error, 3)));
    expect(message).toMatchObject({ type: 'error', code: fault, seq: 3, fatal: closeCodeOf(error) !== null });
  });

  it('close codes are ones that browsers take', () => {
    for (const code of Object.values(CLOSE))
      expect(code === 1000 || code === 1001 || (code >= 4000 && code <= 4999)).toBe(true);
  });
});
