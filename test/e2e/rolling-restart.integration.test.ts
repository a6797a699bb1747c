import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionReport } from '../../gateway/store/port.ts';
import { CLIP_FPS } from '../../harness/clip.ts';
import { Clip } from '../../harness/clip-player.ts';
import { type Product, startProduct } from '../../harness/product.ts';
import { fetchTicket, playStudent } from '../../harness/student.ts';

const STUDENTS = 20;

let product: Product;
let clip: Clip;

beforeAll(async () => {
  clip = await Clip.open(fileURLToPath(new URL('../../harness/clips/cap12.mjpeg', import.meta.url)), CLIP_FPS);
  product = await startProduct({ WINDOW_MS: '3000' });
});

afterAll(() => product?.stop());

async function report(sessionId: string, userId: number): Promise<SessionReport> {
  const response = await fetch(new URL(`/api/v1/sessions/${sessionId}`, product.url), {
    headers: { authorization: `Bearer ${await fetchTicket(product.url, userId)}` },
  });
  const body = (await response.json()) as { report?: SessionReport };
  if (body.report === undefined) throw new Error(`no report of session ${sessionId}`);
  return body.report;
}

describe('a rolling restart under students', () => {
  it('of gateway and inference loses no session and no second', async () => {
    const students = Array.from({ length: STUDENTS }, (_, index) => {
      let reached: (() => void)[] = [];
      let atMs = 0;
      const result = playStudent(product.url, clip, 1000 + index, (progress) => {
        ({ atMs } = progress);
        for (const wake of reached.splice(0)) wake();
        reached = [];
      });
      const until = async (momentMs: number) => {
        while (atMs < momentMs) await new Promise<void>((resolve) => reached.push(resolve));
      };
      return { result, until };
    });
    await Promise.all(students.map(({ until }) => until(5000)));
    await product.restartGateway('SIGTERM');
    await Promise.all(students.map(({ until }) => until(12_000)));
    await product.restartInference('SIGTERM');
    const results = await Promise.all(students.map(({ result }) => result));

    expect(new Set(results.map(({ sessionId }) => sessionId)).size).toBe(STUDENTS);
    for (const { sessionId, userId } of results) {
      const stored = await report(sessionId, userId);
      const coveredMs = stored.focusedMs + stored.unfocusedMs + stored.unknownMs + stored.untrackedMs;
      expect(Math.abs(coveredMs - clip.lengthMs)).toBeLessThanOrEqual(1000);
      expect(stored.endedAtMs - stored.startedAtMs).toBe(coveredMs);
      for (const [index, window] of stored.windows.entries()) {
        const before = stored.windows[index - 1];
        if (before !== undefined) expect(window.startedAtMs).toBe(before.endedAtMs);
      }
    }
  });
});
