import { expandMjpeg, type LaunchedChromium, launchChromium } from '../harness/chromium.ts';
import { CLIP_FPS, CLIP_FRAMES } from '../harness/clip.ts';
import { type Lesson, startLesson } from '../harness/lesson.ts';
import { openShapedLink, type ShapedLink } from '../harness/link/shaped-link.ts';
import { symmetricLink } from '../harness/link/shapes.ts';
import { type Product, startProduct } from '../harness/product.ts';
import { seededRandom } from '../harness/random.ts';
import { buildClient, buildServices } from '../scripts/build.ts';
import { writeLinkCharts } from './links/charts.ts';
import { type ByteDeltas, bytesRatio, figuresOf, type LinkFigures } from './links/figures.ts';
import { firstObservationMs, openOurPage } from './links/our-page.ts';
import { type BenchLink, type Contender, measuredMs, parseLinksOptions } from './links/plan.ts';
import { type LinkResult, printLinks } from './links/print.ts';
import { spanFrom, type TestPage } from './links/probe-page.ts';
import { openSeedPage, type SeedService, startSeedService } from './links/seed.ts';
import { stillClip } from './links/still-clip.ts';

/** A page that is not seen must not be slowed down for it. */
const AWAKE = [
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];
/** From the first observation until the measured time begins: the rate settles. */
const SETTLE_MS = 8000;
/** How long a first observation is waited for. The seed's way may take longer on the slowest links. */
const FIRST_WITHIN_MS = 40_000;
const LOOK_EVERY_MS = 200;
const UNSHAPED = symmetricLink({ kbps: null, rttMs: 0 });

interface Stage {
  readonly product: Product;
  readonly lesson: Lesson;
  readonly seed: SeedService;
  /** What the camera shows. */
  readonly clipPath: string;
  readonly browsers: { readonly moving: LaunchedChromium; readonly still: LaunchedChromium };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function openPage(stage: Stage, contender: Contender, port: number): Promise<TestPage> {
  const { lesson, seed, browsers } = stage;
  const serverUrl = `http://127.0.0.1:${port}`;
  switch (contender) {
    case 'ours':
      return openOurPage(browsers.moving, lesson, serverUrl, 'server');
    case 'still':
      return openOurPage(browsers.still, lesson, serverUrl, 'server');
    case 'device':
      return openOurPage(browsers.moving, lesson, serverUrl, 'device');
    case 'post':
      return openOurPage(browsers.moving, lesson, serverUrl, 'server', 'post');
    case 'postDevice':
      return openOurPage(browsers.moving, lesson, serverUrl, 'device', 'post');
    case 'seed':
      return openSeedPage(browsers.moving, seed, serverUrl);
  }
}

/** What went over a link from now until end(). */
function countBytes(link: ShapedLink): { end(): ByteDeltas } {
  const before = link.counts();
  const since = (after: ShapedLink['counts'] extends () => infer C ? C : never, way: 'up' | 'down') => ({
    payloadBytes: after[way].payloadBytes - before[way].payloadBytes,
    wireBytes: after[way].wireBytes - before[way].wireBytes,
  });
  return {
    end: () => {
      const after = link.counts();
      return { up: since(after, 'up'), down: since(after, 'down') };
    },
  };
}

/** One sender over one link of its own. Null where there is no such sender yet. */
async function measure(
  stage: Stage,
  bench: BenchLink,
  contender: Contender,
  ready: () => Promise<void>,
  forMs: number,
): Promise<LinkFigures | null> {
  const { product, seed } = stage;
  const target = contender === 'seed' ? seed.port : Number(new URL(product.url).port);
  // Models are a download of once; they come before the link is as slow as it will be.
  const isDevice = contender === 'device' || contender === 'postDevice';
  const shape = isDevice ? UNSHAPED : bench.shape;
  const link = await openShapedLink(target, shape, seededRandom(1));
  const page = await openPage(stage, contender, link.port);
  try {
    void page.start();
    const giveUpAtMs = performance.now() + FIRST_WITHIN_MS;
    while ((await page.observations()) === 0 && performance.now() < giveUpAtMs) await sleep(LOOK_EVERY_MS);
    const { mode } = await page.read();
    const isPresent = !isDevice || mode === 'device';
    link.reshape(bench.shape);
    await ready();
    if (!isPresent) return null;
    await sleep(SETTLE_MS);
    const [bytes, span] = [countBytes(link), await spanFrom(page)];
    let outageEndedAtMs: number | null = null;
    if (bench.outage !== null) {
      await sleep(bench.outage.fromMs);
      link.setOutage(true);
      await sleep(bench.outage.lengthMs);
      link.setOutage(false);
      outageEndedAtMs = await page.nowMs();
    }
    await sleep(forMs - (bench.outage === null ? 0 : bench.outage.fromMs + bench.outage.lengthMs));
    const [carried, measured] = [bytes.end(), await span.end()];
    return figuresOf(bench, await page.read(), measured, carried, outageEndedAtMs);
  } finally {
    await page.close();
    await link.close();
  }
}

/** A gate that opens when all have come to it. */
function gate(count: number): () => Promise<void> {
  let missing = count;
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    missing -= 1;
    if (missing === 0) open();
    return opened;
  };
}

/** A student's first visit: a browser that has loaded nothing yet, over a link of its own. */
async function measureFirstVisit({ product, clipPath }: Stage, { shape }: BenchLink): Promise<number> {
  const link = await openShapedLink(Number(new URL(product.url).port), shape, seededRandom(1));
  const browser = await launchChromium({ clipPath, args: AWAKE });
  try {
    return await firstObservationMs(browser, `http://127.0.0.1:${link.port}`);
  } finally {
    await browser.close();
    await link.close();
  }
}

async function measureLink(
  stage: Stage,
  bench: BenchLink,
  contenders: readonly Contender[],
  forMs: number,
): Promise<LinkResult> {
  const firstObservationMs = await measureFirstVisit(stage, bench);
  const together = gate(contenders.length);
  const figures = await Promise.all(
    contenders.map(async (contender) => [contender, await measure(stage, bench, contender, together, forMs)] as const),
  );
  const of = Object.fromEntries(figures) as Record<Contender, LinkFigures | null>;
  return {
    link: bench.name,
    firstObservationMs,
    ...of,
    seedBytesPerOursRatio: bytesRatio(of.ours ?? null, of.seed ?? null),
  };
}

/**
 * `npm run bench -- links [--json] [--seconds S] [--links a,b] [--contenders ours,seed] [--charts FOLDER]`:
 * the built client in Chromium against the built services over shaped links, beside the seed's way.
 * All senders of one link run at the same time, each over a link of its own.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const options = parseLinksOptions(argv);
  const say = (text: string) => process.stderr.write(`${text}\n`);
  say('building, and starting gateway, inference and two browsers …');
  await Promise.all([buildClient(), buildServices()]);
  const frames = CLIP_FRAMES;
  const product = await startProduct();
  const lesson = await startLesson(product.url);
  const seed = await startSeedService(product.inference().port);
  const moving = await expandMjpeg(frames, CLIP_FPS);
  const still = await expandMjpeg(await stillClip(frames, seededRandom(7)), CLIP_FPS);
  const browsers = {
    moving: await launchChromium({ clipPath: moving.path, args: AWAKE }),
    still: await launchChromium({ clipPath: still.path, args: AWAKE }),
  };
  try {
    const results: LinkResult[] = [];
    for (const [index, bench] of options.links.entries()) {
      const forMs = measuredMs(bench, options.seconds * 1000);
      say(`${index + 1} of ${options.links.length}: ${bench.description}, ${forMs / 1000} s …`);
      results.push(
        await measureLink({ product, lesson, seed, clipPath: moving.path, browsers }, bench, options.contenders, forMs),
      );
      printLinks(results.slice(-1), index === 0);
    }
    if (options.chartsTo !== null) await writeLinkCharts(results, options.chartsTo);
    if (options.json) {
      process.stdout.write(
        `${JSON.stringify({ shaping: 'user-space proxy', seconds: options.seconds, links: results })}\n`,
      );
    }
  } finally {
    await browsers.moving.close();
    await browsers.still.close();
    await moving.remove();
    await still.remove();
    lesson.close();
    await seed.close();
    await product.stop();
  }
}
