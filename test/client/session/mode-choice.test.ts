import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chooseMode,
  explainMode,
  isFastEnough,
  isSlowLink,
  type LinkReading,
  type ModeInputs,
} from '../../../client/session/mode-choice.ts';

const GOOD: LinkReading = { answeredPerSecond: 5, latencyMs: 120 };
const SLOW: LinkReading = { answeredPerSecond: 1.2, latencyMs: 900 };
const LAGGING: LinkReading = { answeredPerSecond: 3, latencyMs: 2400 };
const SILENT: LinkReading = { answeredPerSecond: 0, latencyMs: null };

function inputs(changes: Partial<ModeInputs>): ModeInputs {
  return {
    wish: 'auto',
    mode: 'server',
    lessData: false,
    link: [],
    device: { state: 'not_prepared' },
    wantedFps: 5,
    ...changes,
  };
}

describe('auto', () => {
  it('begins with the server and downloads nothing', () => {
    expect(chooseMode(inputs({}))).toEqual({ mode: 'server', reason: 'link_good', prepare: false });
    expect(chooseMode(inputs({ link: [GOOD, GOOD, GOOD] }))).toMatchObject({ reason: 'link_good', prepare: false });
  });

  it.each([
    ['too few answers', [SLOW, SLOW]],
    ['late answers', [LAGGING, LAGGING]],
    ['no answers', [SILENT, SILENT]],
    ['one after the other', [GOOD, SLOW, LAGGING]],
  ])('gets the device ready when the link does not carry pictures: %s', (_name, link) => {
    expect(chooseMode(inputs({ link }))).toEqual({ mode: 'server', reason: 'preparing', prepare: true });
    expect(chooseMode(inputs({ link, device: { state: 'ready', inferenceMs: 20 } }))).toMatchObject({
      mode: 'device',
      reason: 'link_slow',
    });
  });

  it.each([
    ['one hiccup', [GOOD, SLOW]],
    ['a link that has recovered', [SLOW, SLOW, GOOD]],
  ])('stays with the server for %s', (_name, link) => {
    expect(chooseMode(inputs({ link }))).toMatchObject({ mode: 'server', reason: 'link_good' });
  });

  it('changes where less data is asked for, however good the link is', () => {
    const device = { state: 'ready', inferenceMs: 30 } as const;
    expect(chooseMode(inputs({ lessData: true, link: [GOOD, GOOD] }))).toMatchObject({ prepare: true });
    expect(chooseMode(inputs({ lessData: true, device }))).toMatchObject({ mode: 'device', reason: 'data_saver' });
  });

  it('stays on the device once there: what the link would carry is not known', () => {
    const device = { state: 'ready', inferenceMs: 30 } as const;
    expect(chooseMode(inputs({ mode: 'device', device }))).toMatchObject({ mode: 'device' });
  });

  it('goes back to the server when the device cannot hold 5 observations a second', () => {
    const device = { state: 'ready', inferenceMs: 230 } as const;
    expect(chooseMode(inputs({ mode: 'device', device }))).toEqual({
      mode: 'server',
      reason: 'device_slow',
      prepare: false,
    });
    expect(chooseMode(inputs({ lessData: true, device }))).toMatchObject({ mode: 'server', reason: 'device_slow' });
  });

  it.each(['unsupported', 'failed'] as const)('stays with the server on a device that is %s', (state) => {
    const choice = chooseMode(inputs({ lessData: true, device: { state } }));
    expect(choice).toEqual({ mode: 'server', reason: `device_${state}`, prepare: false });
  });
});

describe('a page that asks for the device', () => {
  it.each([
    { state: 'not_prepared' },
    { state: 'preparing' },
    { state: 'unsupported' },
    { state: 'failed' },
    { state: 'ready', inferenceMs: 900 },
  ] as const)('never gets the server: %o', (device) => {
    expect(chooseMode(inputs({ wish: 'device', device })).mode).toBe('device');
  });
});

describe('a page that asks for the server', () => {
  it('gets it, whatever the link is', () => {
    expect(chooseMode(inputs({ wish: 'server', link: [SILENT, SILENT], lessData: true }))).toEqual({
      mode: 'server',
      reason: 'asked',
      prepare: false,
    });
  });
});

describe('what counts as slow', () => {
  it('a page that wants one picture in two seconds does not make the link slow', () => {
    expect(isSlowLink({ answeredPerSecond: 0.5, latencyMs: 200 }, 0.5)).toBe(false);
    expect(isSlowLink({ answeredPerSecond: 0.2, latencyMs: 200 }, 0.5)).toBe(true);
  });

  it('a device need not be faster than what is wanted of it', () => {
    expect(isFastEnough(180, 5)).toBe(true);
    expect(isFastEnough(181, 5)).toBe(false);
    expect(isFastEnough(181, 15)).toBe(false);
    expect(isFastEnough(800, 1)).toBe(true);
  });
});

describe('every choice', () => {
  it('has words of its own for the student, and none of ours', () => {
    fc.assert(
      fc.property(
        fc.record({
          wish: fc.constantFrom('auto' as const, 'server' as const, 'device' as const),
          mode: fc.constantFrom('server' as const, 'device' as const),
          lessData: fc.boolean(),
          link: fc.array(fc.constantFrom(GOOD, SLOW, LAGGING, SILENT), { maxLength: 4 }),
          device: fc.constantFrom<ModeInputs['device']>(
            { state: 'not_prepared' },
            { state: 'unsupported' },
            { state: 'preparing' },
            { state: 'failed' },
            { state: 'ready', inferenceMs: 20 },
            { state: 'ready', inferenceMs: 400 },
          ),
          wantedFps: fc.constantFrom(0.2, 1, 5, 15),
        }),
        (given) => {
          const choice = chooseMode(given);
          const words = explainMode(choice);
          expect(words).toMatch(choice.mode === 'device' ? /device|browser/ : /server/);
          expect(words).not.toMatch(/inference|gateway|observation|wasm|undefined/i);
          // Nothing is downloaded for a page that asked for the server.
          if (given.wish === 'server') expect(choice.prepare).toBe(false);
        },
      ),
    );
  });
});
