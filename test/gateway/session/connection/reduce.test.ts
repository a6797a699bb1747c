import { describe, expect, it } from 'vitest';
import { MAX_FAULTS } from '../../../../gateway/session/connection/closing.ts';
import { HELLO_DEADLINE_MS, STOP_DEADLINE_MS } from '../../../../gateway/session/connection/reduce.ts';
import { faceAtScreen, NO_FACE } from '../../../../harness/observations.ts';
import { ProtocolError } from '../../../../shared/protocol/errors.ts';
import { Driver, newAccount, sumOf, T0 } from './driver.ts';

function closeCode(driver: Driver): number {
  return driver.last('close').code;
}

describe('connection before admission', () => {
  it('C-2 hello is authenticated, then welcomed', () => {
    const driver = new Driver();
    driver.admit();
    expect(driver.all('authenticate')).toHaveLength(1);
    expect(driver.last('send').message).toMatchObject({ type: 'welcome', resumed: false, clockMs: 0 });
  });

  it('V-2 welcome names the features of hello that the gateway has too, and the connection keeps them', () => {
    const driver = new Driver();
    driver.features = ['adaptive', 'pauses'];
    driver.hello(['pauses', 'unheard-of']);
    driver.dispatch({ type: 'admitted', account: newAccount(), resumed: false, resumeToken: 'r', lateToken: 'l' });
    expect(driver.last('send').message).toMatchObject({ type: 'welcome', features: ['pauses'] });
    driver.start();
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 0 } });
    expect(driver.state).toMatchObject({ phase: 'ready', features: ['pauses'] });
  });

  it('V-2 a client of the first v1 gets none', () => {
    const driver = new Driver();
    driver.features = ['adaptive'];
    driver.admit();
    expect(driver.last('send').message).toMatchObject({ type: 'welcome', features: [] });
  });

  it.each([
    ['a binary message', (driver: Driver) => driver.same(0)],
    ['another control message', (driver: Driver) => driver.start()],
    ['a second hello', (driver: Driver) => [driver.hello(), driver.hello()]],
  ])('C-2 %s before welcome ends the connection', (_name, act) => {
    const driver = new Driver();
    act(driver);
    expect(driver.last('send').message).toMatchObject({ type: 'error', code: 'hello_expected', fatal: true });
    expect(closeCode(driver)).toBe(4400);
  });

  it('C-2 the deadline is absolute', () => {
    const driver = new Driver();
    driver.nowMs += HELLO_DEADLINE_MS - 1;
    driver.dispatch({ type: 'tick' });
    expect(driver.effects).toEqual([]);
    driver.hello();
    driver.nowMs += 1;
    driver.dispatch({ type: 'tick' });
    expect(closeCode(driver)).toBe(4408);
  });

  it('S-1 a refused ticket closes with its code', () => {
    const driver = new Driver();
    driver.hello();
    driver.dispatch({ type: 'fault', error: new ProtocolError('ticket_expired', 'old'), seq: null });
    expect(driver.last('send').message).toMatchObject({ code: 'ticket_expired', retry: true });
    expect(closeCode(driver)).toBe(4401);
  });
});

describe('connection that tracks', () => {
  it('U-2 every frame gets exactly one update with its sequence number', () => {
    const driver = Driver.tracking();
    driver.frame(0);
    driver.frame(100);
    driver.frame(200);
    driver.answer();
    driver.answer();
    driver.same(300);
    const seqs = driver.all('update').map(({ update }) => update.seq);
    expect(seqs.sort()).toEqual([0, 1, 2, 3]);
  });

  it('U-3 one frame is inferred, one waits, the newest wins', () => {
    const driver = Driver.tracking();
    driver.frame(0);
    driver.frame(100);
    driver.frame(200);
    expect(driver.all('infer').map(({ frame }) => frame.message.captureMs)).toEqual([0]);
    expect(driver.all('update').map(({ update }) => [update.seq, update.outcome])).toEqual([[1, 'superseded']]);
    driver.answer();
    expect(driver.last('infer').frame.message.captureMs).toBe(200);
  });

  it('U-4 an unserved frame counts no time; the gap becomes untracked', () => {
    const driver = Driver.tracking();
    driver.watch(0, 2000);
    for (let atMs = 2200; atMs <= 4600; atMs += 400) {
      driver.frame(atMs);
      driver.dispatch({ type: 'unserved', frame: driver.last('infer').frame, status: 'unavailable' });
      expect(driver.last('update').update.outcome).toBe('unserved');
    }
    driver.watch(5000, 6000);
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 6000 } });
    expect(driver.windowTotals()).toMatchObject({ focusedMs: 3000, untrackedMs: 3000 });
  });

  it('U-5 a clock that runs ahead of real time counts for nothing', () => {
    const driver = Driver.tracking();
    driver.watch(0, 1000);
    driver.nowMs = T0 + 1000;
    driver.dispatch({
      type: 'message',
      message: { kind: 'same', seq: 99, captureMs: 60_000, late: false },
      bytes: 16,
      digest: null,
    });
    expect(driver.last('update').update.outcome).toBe('out_of_order');
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 60_000 } });
    expect(sumOf(driver.windowTotals())).toBe(1000);
  });

  it('U-5 a clock that goes back counts for nothing', () => {
    const driver = Driver.tracking();
    driver.watch(0, 1000);
    driver.frame(500);
    expect(driver.last('update').update.outcome).toBe('out_of_order');
  });

  it('F-5 "same" repeats the observation before it', () => {
    const driver = Driver.tracking();
    driver.watch(0, 1000);
    for (let atMs = 1200; atMs <= 3000; atMs += 200) driver.same(atMs);
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 3000 } });
    expect(driver.windowTotals()).toMatchObject({ focusedMs: 3000, unknownMs: 0 });
  });

  it('F-5 a picture that stays bit-identical for 5 s is unknown, not focused', () => {
    const driver = Driver.tracking();
    for (let atMs = 0; atMs <= 12_000; atMs += 200) {
      driver.frame(atMs, 'frozen');
      driver.answer();
    }
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 12_000 } });
    const totals = driver.windowTotals();
    expect(totals.focusedMs).toBeGreaterThanOrEqual(4800);
    expect(totals.focusedMs).toBeLessThanOrEqual(5200);
    expect(sumOf(totals)).toBe(12_000);
  });

  it('F-4 a crop outside the announced camera frame is refused, answered, and tracking continues', () => {
    const driver = Driver.tracking();
    driver.frame(0, 'a', { crop: { xPx: 600, yPx: 0, widthPx: 100, heightPx: 100 } });
    expect(driver.last('send').message).toMatchObject({ code: 'frame_geometry', seq: 0, fatal: false });
    expect(driver.last('update').update).toMatchObject({ seq: 0, outcome: 'refused' });
    driver.watch(200, 400);
    expect(driver.last('update').update.outcome).toBe('processed');
  });

  it('F-8 a picture that inference refuses is answered with its code', () => {
    const driver = Driver.tracking();
    driver.frame(0);
    driver.dispatch({ type: 'unserved', frame: driver.last('infer').frame, status: 'imageFormat' });
    expect(driver.last('send').message).toMatchObject({ code: 'image_format', seq: 0 });
    expect(driver.last('update').update.outcome).toBe('refused');
  });

  it('C-4 too many refused messages end the connection, and what was counted is saved first', () => {
    const driver = Driver.tracking();
    driver.watch(0, 1000);
    for (let index = 0; index <= MAX_FAULTS; index += 1) {
      driver.dispatch({ type: 'fault', error: new ProtocolError('control_not_json', 'x'), seq: null });
    }
    expect(closeCode(driver)).toBe(4400);
    expect(sumOf(driver.windowTotals())).toBe(1000);
    expect(driver.all('detach')).toHaveLength(1);
  });

  it('F-9 a flood ends the connection', () => {
    const driver = Driver.tracking();
    for (let index = 0; index < 200 && driver.state.phase === 'tracking'; index += 1) driver.same(index);
    expect(closeCode(driver)).toBe(4429);
  });

  it('asks for a larger picture while it searches, for the face once it has one', () => {
    const driver = Driver.tracking();
    driver.frame(0);
    driver.answer(NO_FACE);
    expect(driver.last('update').update).toMatchObject({ nextCrop: null, imageSizePx: 320 });
    driver.frame(200);
    driver.answer();
    const { nextCrop, imageSizePx } = driver.last('update').update;
    expect(nextCrop).not.toBeNull();
    expect(imageSizePx).toBe(192);
  });

  it('hands the last region of the face on with the next request, unless it is old', () => {
    const driver = Driver.tracking();
    driver.frame(0);
    expect(driver.last('infer').roi).toBeNull();
    driver.answer();
    driver.frame(200);
    expect(driver.last('infer').roi).toEqual(faceAtScreen().face?.nextRoi);
    driver.answer();
    driver.frame(5000);
    expect(driver.last('infer').roi).toBeNull();
  });
});

describe('windows', () => {
  it('are cut at the configured length, join without overlap, and add up', () => {
    const driver = Driver.tracking(5000);
    for (let atMs = 0; atMs <= 21_000; atMs += 200) {
      driver.frame(atMs);
      driver.answer();
      driver.dispatch({ type: 'tick' });
    }
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 21_000 } });
    const windows = driver.all('save').map(({ window }) => window);
    expect(windows.length).toBeGreaterThanOrEqual(4);
    expect(windows.map(({ seq }) => seq)).toEqual(windows.map((_, index) => index));
    for (const [index, window] of windows.entries()) {
      expect(sumOf(window)).toBe(window.endedAtMs - window.startedAtMs);
      const next = windows[index + 1];
      if (next !== undefined) expect(next.startedAtMs).toBe(window.endedAtMs);
    }
    expect(windows.map(({ final }) => final).lastIndexOf(true)).toBe(windows.length - 1);
    expect(sumOf(driver.windowTotals())).toBe(21_000);
    expect(windows.reduce((sum, window) => sum + window.framesProcessed, 0)).toBe(106);
  });

  it('S-7 a change of section cuts the window where it happened', () => {
    const driver = Driver.tracking();
    driver.watch(0, 3000);
    driver.dispatch({ type: 'control', message: { type: 'section', sectionId: 82, atMs: 3100 } });
    driver.watch(3200, 5000);
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 5000 } });
    const windows = driver.all('save').map(({ window }) => window);
    expect(windows.map((window) => [window.sectionId, sumOf(window)])).toEqual([
      [null, 3000],
      [82, 2000],
    ]);
  });

  it('X-2 a lost connection saves what was counted and leaves the session to be resumed', () => {
    const driver = Driver.tracking();
    driver.watch(0, 3000);
    driver.dispatch({ type: 'closed' });
    expect(sumOf(driver.windowTotals())).toBe(3000);
    expect(driver.last('save').window.final).toBe(false);
    expect(driver.all('detach')).toHaveLength(1);
  });

  it('S-2 a superseded tab is notified, saved and closed; its late close changes nothing', () => {
    const driver = Driver.tracking();
    driver.watch(0, 3000);
    driver.dispatch({ type: 'superseded' });
    expect(closeCode(driver)).toBe(4409);
    expect(sumOf(driver.windowTotals())).toBe(3000);
    expect(driver.dispatch({ type: 'closed' })).toEqual([]);
  });

  it('a gateway that shuts down saves and sends clients elsewhere', () => {
    const driver = Driver.tracking();
    driver.watch(0, 3000);
    driver.dispatch({ type: 'drain' });
    expect(driver.last('send').message).toMatchObject({ code: 'shutting_down', retry: true });
    expect(closeCode(driver)).toBe(1001);
    expect(sumOf(driver.windowTotals())).toBe(3000);
  });
});

describe('stop and resume', () => {
  it('S-6 stop waits for the frame that is still being inferred', () => {
    const driver = Driver.tracking();
    driver.watch(0, 2000);
    driver.frame(2200);
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 2300 } });
    expect(driver.all('stopped')).toHaveLength(0);
    driver.nowMs += 50;
    driver.answer();
    expect(driver.all('stopped')).toHaveLength(1);
    expect(sumOf(driver.windowTotals())).toBe(2250);
    expect(driver.last('save').window.final).toBe(true);
  });

  it('S-6 but not for ever', () => {
    const driver = Driver.tracking();
    driver.watch(0, 2000);
    driver.frame(2200);
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 2300 } });
    driver.nowMs += STOP_DEADLINE_MS;
    driver.dispatch({ type: 'tick' });
    expect(driver.all('stopped')).toHaveLength(1);
  });

  it('S-5 the time between stop and start belongs to no kind of time', () => {
    const driver = Driver.tracking();
    driver.watch(0, 2000);
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 2000 } });
    driver.nowMs = T0 + 60_000;
    driver.start(60_000);
    driver.watch(60_200, 62_000);
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 62_000 } });
    expect(driver.windowTotals()).toEqual({ focusedMs: 4000, unfocusedMs: 0, unknownMs: 0, untrackedMs: 0 });
    const last = driver.last('save').window;
    expect([last.startedAtMs - T0, last.endedAtMs - T0]).toEqual([60_000, 62_000]);
  });

  it('S-3 a resumed session continues counting: an outage over 2 s is untracked', () => {
    const first = Driver.tracking();
    first.watch(0, 3000);
    first.dispatch({ type: 'closed' });
    const { account } = first.last('detach');
    const second = new Driver();
    second.nowMs = T0 + 10_000;
    second.admit({ ...account, epoch: 1, seq: 0 }, true);
    expect(second.last('send').message).toMatchObject({
      type: 'welcome',
      resumed: true,
      clockMs: 10_000,
      totals: { focusedMs: 3000 },
    });
    second.start(10_000);
    second.watch(10_000, 12_000);
    second.dispatch({ type: 'control', message: { type: 'stop', atMs: 12_000 } });
    expect(second.windowTotals()).toEqual({ focusedMs: 2000, unfocusedMs: 0, unknownMs: 0, untrackedMs: 7000 });
    expect(second.last('stopped').account.epoch).toBe(1);
  });

  it.each([
    ['one more refused message', new ProtocolError('control_not_json', 'no JSON'), 'stopping', null],
    ['one that ends the connection', new ProtocolError('slow_reader', 'updates are not read'), 'ended', 4429],
  ])('X-1 while stopping a fault is answered: %s', (_name, error, phase, code) => {
    const driver = Driver.tracking();
    driver.watch(0, 2000);
    driver.frame(2200);
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 2300 } });
    driver.dispatch({ type: 'fault', error, seq: null });
    expect(driver.last('send').message).toMatchObject({ type: 'error', code: error.fault });
    expect([driver.state.phase, driver.all('close').at(0)?.code ?? null]).toEqual([phase, code]);
    expect(driver.state).toMatchObject(phase === 'stopping' ? { faults: 1 } : {});
    expect(sumOf(driver.windowTotals())).toBe(phase === 'stopping' ? 0 : 2200);
    expect(driver.all('detach')).toHaveLength(phase === 'stopping' ? 0 : 1);
  });

  it('F-7 frames before start are refused', () => {
    const driver = new Driver();
    driver.admit(newAccount());
    driver.same(0);
    expect(driver.last('send').message).toMatchObject({ code: 'frame_not_started', fatal: false });
  });
});
