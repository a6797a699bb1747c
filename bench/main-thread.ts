import type { CDPSession, Page } from 'playwright-core';
import { expandMjpeg, launchChromium } from '../harness/chromium.ts';
import { CLIP_FPS, CLIP_FRAMES } from '../harness/clip.ts';
import { startLesson } from '../harness/lesson.ts';
import { startProduct } from '../harness/product.ts';
import { buildUnless, readOptions } from './lib/options.ts';
import { FIRST_ANSWER, longTasks, type Task, type TraceEvent } from './main-thread/trace.ts';

/** What Chromium's tools call a slow phone. */
const SLOWDOWN = 4;
/** A task that is longer takes a picture of 60 a second from the page. */
const LIMIT_MS = 8;
const CATEGORIES = ['disabled-by-default-devtools.timeline', 'devtools.timeline', 'v8.execute', 'blink.user_timing'];
/** The longest of each half. */
const SHOWN = 10;
const SCRIPT = '/js/webcam-websocket.js';

async function trace(cdp: CDPSession, work: () => Promise<void>): Promise<TraceEvent[]> {
  const events: TraceEvent[] = [];
  cdp.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await cdp.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: CATEGORIES },
  });
  await work();
  const complete = new Promise((resolve) => cdp.once('Tracing.tracingComplete', resolve));
  await cdp.send('Tracing.end');
  await complete;
  return events;
}

/** Runs in the page: tracking begins as soon as the script is there. */
function trackAtOnce({ serverUrl, mode, mark }: { serverUrl: string; mode: string; mark: string }): void {
  document.addEventListener('DOMContentLoaded', () => {
    const page = window as unknown as { WebcamWebSocket: new (options: object) => never; updates: number };
    page.updates = 0;
    const onTrackingUpdate = () => {
      if (page.updates === 0) performance.mark(mark);
      page.updates += 1;
    };
    const tracker: { initialize(user: number, module: number): void } = new page.WebcamWebSocket({
      serverUrl,
      mode,
      onTrackingUpdate,
    });
    tracker.initialize(mode === 'server' ? 1 : 2, 1);
  });
}

async function measure(
  page: Page,
  lessonUrl: string,
  serverUrl: string,
  mode: string,
  updates: number,
): Promise<Task[]> {
  await page.addInitScript({ content: 'globalThis.__name = (named) => named;' });
  await page.addInitScript(trackAtOnce, { serverUrl, mode, mark: FIRST_ANSWER });
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: SLOWDOWN });
  const events = await trace(cdp, async () => {
    await page.goto(lessonUrl);
    const reached = (least: number) => (window as unknown as { updates: number }).updates >= least;
    await page.waitForFunction(reached, updates, { timeout: 120_000, polling: 500 });
  });
  return longTasks(events, SCRIPT, LIMIT_MS);
}

function print(mode: string, tasks: readonly Task[]): void {
  for (const whileTracking of [false, true]) {
    const some = tasks.filter((task) => task.whileTracking === whileTracking);
    const when = whileTracking ? 'while it tracks' : 'until the first answer';
    process.stdout.write(`\n${mode} mode, ${when}: ${some.length} tasks over ${LIMIT_MS} ms\n`);
    for (const { ms, atMs, inside } of some.slice(0, SHOWN)) {
      const parts = inside.map(({ name, ms: part }) => `${name} ${part.toFixed(1)}`).join(', ');
      process.stdout.write(`${ms.toFixed(1).padStart(7)} ms at ${(atMs / 1000).toFixed(1)} s: ${parts}\n`);
    }
  }
}

const USAGE = `npm run bench -- main-thread [--json] [--no-build] [--updates N]

The longest tasks of a lesson page's main thread, from navigation to the Nth answer (40), on a CPU that is slowed down four
times, by a trace of Chromium. The page has nothing but the tracker.
`;

export async function run(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv, USAGE, { updates: { type: 'string', default: '40' } });
  if (options === null) return;
  await buildUnless(options);
  const product = await startProduct();
  const lesson = await startLesson(product.url);
  const clip = await expandMjpeg(CLIP_FRAMES, CLIP_FPS);
  try {
    const modes: Record<string, readonly Task[]> = {};
    for (const mode of ['server', 'device']) {
      const browser = await launchChromium({ clipPath: clip.path });
      try {
        const page = await browser.newPage();
        modes[mode] = await measure(page, lesson.url, product.url, mode, Number(options.updates));
      } finally {
        await browser.close();
      }
      print(mode, modes[mode] ?? []);
    }
    if (options.json) process.stdout.write(`${JSON.stringify({ slowdown: SLOWDOWN, limitMs: LIMIT_MS, modes })}\n`);
  } finally {
    await clip.remove();
    lesson.close();
    await product.stop();
  }
}
