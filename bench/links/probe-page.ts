import type { Page } from 'playwright-core';
import type { LaunchedChromium } from '../../harness/chromium.ts';
import type { Probe, Span } from './figures.ts';

/** A page under test: begins to track, and tells what it has seen. */
export interface TestPage {
  /** Resolves with false when tracking could not begin. */
  start(): Promise<boolean>;
  /** The page's monotonic clock, ms. */
  nowMs(): Promise<number>;
  /** Observations so far. */
  observations(): Promise<number>;
  read(): Promise<Probe>;
  close(): Promise<void>;
}

interface ProbedWindow {
  probe: Probe;
  beginTracking(): Promise<boolean>;
}

/** A new page that functions of this process can be run in: tsx wraps their inner names in a helper. */
export async function newProbedPage(browser: LaunchedChromium): Promise<Page> {
  const page = await browser.newPage();
  await page.addInitScript({ content: 'globalThis.__name = (named) => named;' });
  return page;
}

/** Drives a page whose script keeps `window.probe` and `window.beginTracking`. */
export function drive(page: Page): TestPage {
  const inPage = <T>(read: () => T | Promise<T>): Promise<T> => page.evaluate(read) as Promise<T>;
  return {
    start: () => inPage(() => (window as unknown as ProbedWindow).beginTracking()),
    nowMs: () => inPage(() => performance.now()),
    observations: () =>
      inPage(() => (window as unknown as ProbedWindow).probe.answers.filter((answer) => answer.isObservation).length),
    read: () => inPage(() => (window as unknown as ProbedWindow).probe),
    close: () => page.close(),
  };
}

/** The present moment as the begin or end of a span. */
export async function spanFrom(page: TestPage): Promise<{ end(): Promise<Span> }> {
  const fromMs = await page.nowMs();
  return { end: async () => ({ fromMs, toMs: await page.nowMs() }) };
}
