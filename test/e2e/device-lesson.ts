import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** Where the built parts of device mode are. */
export const ASSETS = fileURLToPath(new URL('../../dist/client/device', import.meta.url));

/** The worker's and the models' file. */
export function assetNames(): [worker: string, models: string] {
  const names = readdirSync(ASSETS);
  const found = (pattern: RegExp) => names.find((name) => pattern.test(name)) ?? '';
  return [found(/^worker-.*\.js$/), found(/^models-.*\.bin$/)];
}

export interface SeenByPage {
  updates: { metrics: Record<string, number | string> }[];
  errors: { type: string; code: string }[];
  modes: { mode: string; reason: string; message: string; downloadedBytes: number }[];
  sessions: { sessionId: string; resumed: boolean }[];
  cameras: number;
  notices: { code: string; message: string }[];
}

export interface Tracker {
  initialize(userId: number, moduleId: number): Promise<boolean>;
  finish(): Promise<{ totals: Record<string, number> } | null>;
  setMode(mode: string): void;
  setLessData(lessData: boolean): void;
  stats(): { bytesUp: number; framesSent: number; observationsSent: number; reconnects: number } | null;
}

/** What the page keeps of the tracker. */
export type Lesson = typeof globalThis & { seen: SeenByPage; tracker: Tracker };

export function seen(page: Page): Promise<SeenByPage> {
  return page.evaluate(() => (window as unknown as Lesson).seen);
}

export function initialize(page: Page, userId: number): Promise<boolean> {
  return page.evaluate((id) => (window as unknown as Lesson).tracker.initialize(id, 22), userId);
}

export function finish(page: Page): Promise<{ totals: Record<string, number> } | null> {
  return page.evaluate(() => (window as unknown as Lesson).tracker.finish());
}

export function updatesReach(page: Page, count: number): Promise<unknown> {
  return page.waitForFunction((least) => (window as unknown as Lesson).seen.updates.length >= least, count);
}

/** How many observations of the student at module 22 wait in the browser's database. */
export function keptOf(page: Page, userId: number): Promise<number> {
  return page.evaluate(async (student) => {
    const read = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await read(indexedDB.open('gaze-relay'));
    if (!database.objectStoreNames.contains('sessions')) return 0;
    const sessions: { id: number; student: string }[] = await read(
      database.transaction('sessions').objectStore('sessions').getAll(),
    );
    let kept = 0;
    for (const { id } of sessions.filter((row) => row.student.endsWith(student))) {
      const range = IDBKeyRange.bound([id, 0], [id, Number.MAX_SAFE_INTEGER]);
      kept += await read(database.transaction('observations').objectStore('observations').count(range));
    }
    database.close();
    return kept;
  }, `:${userId}:22`);
}

/** Resolves once that many observations of the student wait in the browser's database. */
export async function keptReach(page: Page, userId: number, count: number): Promise<void> {
  await expect.poll(() => keptOf(page, userId), { timeout: 30_000 }).toBeGreaterThanOrEqual(count);
}
