import { describe, expect, it } from 'vitest';
import { Pacer } from '../../../../client/connection/pacing/pacer.ts';
import { nextFormat, type PacingBounds } from '../../../../client/connection/pacing/pacing.ts';

const CROP = { size: { widthPx: 192, heightPx: 192 }, whole: false };

/** A pacer with a clock in hand. */
function createPacer(bounds: Partial<PacingBounds> = {}) {
  let nowMs = 1000;
  const pacer = new Pacer(() => nowMs);
  pacer.bound(bounds);
  pacer.note({ type: 'connected', nowMs });
  const wait = (ms: number) => {
    nowMs += ms;
  };
  /** One picture or small message there and back. */
  const exchange = (bytes: number, rttMs: number) => {
    const sentAtMs = nowMs;
    pacer.note({ type: 'sent', nowMs, bytes, picture: bytes > 100 ? CROP : null });
    wait(rttMs);
    pacer.note({ type: 'acknowledged', nowMs, sentAtMs, bytes });
  };
  return { pacer, wait, exchange, now: () => nowMs };
}

describe('rate', () => {
  it.each<[Partial<PacingBounds>, number]>([
    [{}, 5],
    [{ gatewayFps: 10 }, 5],
    [{ pageFps: 15, gatewayFps: 10 }, 5],
    [{ pageFps: 3, gatewayFps: 10 }, 3],
    [{ pageFps: 15, gatewayFps: 1.5 }, 1.5],
    [{ lessData: true, pageFps: 15 }, 3],
  ])('the page, the gateway and the data saver are upper bounds: %o gives %f', (bounds, fps) => {
    expect(createPacer(bounds).pacer.fps).toBe(fps);
  });

  it('does not fall to nothing, which no answer could lift again', () => {
    expect(createPacer({ gatewayFps: 0 }).pacer.fps).toBeGreaterThan(0);
  });
});

describe('format', () => {
  it("takes the page's quality for an upper bound", () => {
    const { pacer } = createPacer();
    expect(nextFormat(pacer.state, 0.3).quality).toBe(0.3);
    expect(nextFormat(pacer.state, 1).quality).toBeLessThanOrEqual(0.45);
  });

  it('is WebP only where the browser encodes it', () => {
    expect(createPacer({ webp: true }).pacer.format(0.7).codec).toBe('webp');
    expect(createPacer({ webp: false }).pacer.format(0.7).codec).toBe('jpeg');
  });

  it("learns how large this student's pictures are", () => {
    const small = createPacer();
    const large = createPacer();
    for (let turn = 0; turn < 40; turn++) {
      small.exchange(800, 50);
      small.wait(150);
      large.exchange(4000, 50);
      large.wait(150);
    }
    expect(small.pacer.state.scale.crop).toBeLessThan(large.pacer.state.scale.crop);
    expect(large.pacer.format(0.7).sizePx).toBeLessThanOrEqual(small.pacer.format(0.7).sizePx);
  });
});

describe('allowance', () => {
  it('begins low and grows while the link is calm', () => {
    const { pacer, exchange, wait } = createPacer();
    const firstBps = pacer.state.allowanceBps;
    expect(firstBps).toBeLessThanOrEqual(4000);
    for (let turn = 0; turn < 40; turn++) {
      exchange(2000, 40);
      wait(160);
    }
    expect(pacer.state.allowanceBps).toBeGreaterThan(2 * firstBps);
    expect(pacer.format(0.7)).toEqual({ sizePx: 192, quality: 0.4, codec: 'jpeg' });
  });

  it('does not grow for a student whose messages say nothing about the link', () => {
    const { pacer, exchange, wait } = createPacer();
    const firstBps = pacer.state.allowanceBps;
    for (let turn = 0; turn < 100; turn++) {
      exchange(16, 40);
      wait(160);
    }
    expect(pacer.state.allowanceBps).toBe(firstBps);
  });

  it('falls when a queue stands for three acknowledgements, and not for one late packet', () => {
    const { pacer, exchange, wait } = createPacer();
    for (let turn = 0; turn < 30; turn++) {
      exchange(2000, 40);
      wait(160);
    }
    const beforeBps = pacer.state.allowanceBps;
    exchange(2000, 900);
    exchange(2000, 45);
    expect(pacer.state.allowanceBps).toBeGreaterThanOrEqual(beforeBps);
    for (let turn = 0; turn < 3; turn++) exchange(2000, 500);
    expect(pacer.state.allowanceBps).toBeLessThan(0.75 * beforeBps);
    expect(pacer.slow || pacer.state.allowanceBps >= 7000).toBe(true);
  });

  it('falls at once when bytes back up in the socket, and when an acknowledgement is overdue', () => {
    const { pacer, now, wait } = createPacer();
    const firstBps = pacer.state.allowanceBps;
    pacer.note({ type: 'blocked', nowMs: now(), bufferedBytes: 5000, oldestSentAtMs: now() });
    const secondBps = pacer.state.allowanceBps;
    expect(secondBps).toBeLessThanOrEqual(firstBps / 2);
    wait(3000);
    pacer.note({ type: 'blocked', nowMs: now(), bufferedBytes: 0, oldestSentAtMs: now() - 2500 });
    expect(pacer.state.allowanceBps).toBeLessThan(secondBps);
  });

  it('is at most half of the capacity, once that is known', () => {
    const { pacer, exchange, wait } = createPacer();
    exchange(16, 300);
    for (let turn = 0; turn < 40; turn++) {
      exchange(1600, 300 + (1680 * 1000) / 8000 + 20);
      wait(100);
    }
    expect(pacer.state.link.capacityBps).toBeGreaterThan(7000);
    expect(pacer.state.link.capacityBps).toBeLessThan(9000);
    expect(pacer.state.allowanceBps).toBeLessThanOrEqual(4500);
    expect(pacer.slow).toBe(true);
  });

  it('with the data saver stays low on the best of links', () => {
    const { pacer, exchange, wait } = createPacer({ lessData: true });
    for (let turn = 0; turn < 100; turn++) {
      exchange(1500, 20);
      wait(200);
    }
    expect(pacer.state.allowanceBps).toBeLessThanOrEqual(5000);
    expect(pacer.format(0.7).sizePx).toBeLessThanOrEqual(160);
    expect(pacer.slow).toBe(false);
  });

  it('makes a picture wait for its bytes, and one larger than a burst for no longer than the burst', () => {
    const { pacer, exchange, wait } = createPacer();
    exchange(2000, 10);
    const waitMs = pacer.waitMs(CROP);
    expect(waitMs).toBeGreaterThan(0);
    wait(waitMs);
    expect(pacer.waitMs(CROP)).toBeCloseTo(0, 6);
    const whole = { size: { widthPx: 1280, heightPx: 960 }, whole: true };
    wait(10_000);
    expect(pacer.waitMs(whole)).toBe(0);
  });
});
