import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, type ExpectStatic, expect, it } from 'vitest';
import { runCli } from '../../gateway/cli/commands.ts';
import { expandMjpeg, type FakeCameraClip, type LaunchedChromium, launchChromium } from '../../harness/chromium.ts';
import { CLIP_FPS, CLIP_FRAMES } from '../../harness/clip.ts';
import { ensureProgram, PHP_MYSQL } from '../../harness/debian-packages.ts';
import { createEyelearnDayTables, createEyelearnTables } from '../../harness/eyelearn-schema.ts';
import { type MariaDb, startMariaDb } from '../../harness/mariadb.ts';
import { type PhpPages, startPhp } from '../../harness/php-pages.ts';
import { type Product, startProduct } from '../../harness/product.ts';
import { LINEAGES, type PageLineage, platformFiles } from '../support/eyelearn-pages.ts';

const SECRET = 'a secret for tests that is long enough';
/** The platform's dashboards leave out rows under 30 s. */
const READ_S = 32;

let database: MariaDb;
let clip: FakeCameraClip;
let kept: string;
let schools = 0;

interface School {
  readonly lineage: PageLineage;
  readonly php: PhpPages;
  readonly product: Product;
  readonly browser: LaunchedChromium;
  readonly query: (sql: string) => Promise<Record<string, unknown>[]>;
  readonly stop: () => Promise<void>;
}

/** A platform with nothing but the installer run over it, its database, and the product beside it. */
async function openSchool(lineage: PageLineage): Promise<School> {
  schools += 1;
  const name = `school_${schools}`;
  const url = await database.createDatabase(name);
  const connection = await mysql.createConnection(url);
  await createEyelearnTables(connection, 'full');
  await createEyelearnDayTables(connection, 'both');
  await connection.query('UPDATE users SET camera_agreement_accepted = 0');
  const php = await startPhp(platformFiles(lineage), {
    RELAY_JWT_SECRET: SECRET,
    DB_HOST: database.host,
    DB_PORT: String(database.port),
    DB_USER: database.user,
    DB_PASS: database.password,
    DB_NAME: name,
  });
  const product = await startProduct({
    RELAY_JWT_SECRET: SECRET,
    ALLOWED_ORIGINS: new URL(php.url).origin,
    MYSQL_URL: url,
  });
  const said: string[] = [];
  const out = (line: string) => void said.push(line);
  const status = await runCli(
    ['eyelearn', 'install', '--path', php.root, '--gateway', product.url, '--keep-in', join(kept, name)],
    { env: {}, now: Date.now, out, err: out },
  );
  expect(status, said.join('\n')).toBe(0);
  const browser = await launchChromium({ clipPath: clip.path });
  return {
    lineage,
    php,
    product,
    browser,
    query: async (sql) => (await connection.query(sql))[0] as Record<string, unknown>[],
    stop: async () => {
      await browser.close();
      await product.stop();
      await php.stop();
      await connection.end();
    },
  };
}

const lessonUrl = ({ php }: School, sectionId: number) =>
  `${php.url}user/Smodulepart.php?module_id=3&section_id=${sectionId}`;

/** Counts the page's cameras, on every page of the browser, before any script of the page runs. */
async function countCameras(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const streams: MediaStream[] = [];
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      const stream = await open(constraints);
      streams.push(stream);
      return stream;
    };
    Object.assign(window, { streams });
  });
}

function liveCameras(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      (window as unknown as { streams: MediaStream[] }).streams.filter((stream) =>
        stream.getTracks().some(({ readyState }) => readyState === 'live'),
      ).length,
  );
}

const widgetText = (page: Page) => page.locator('gaze-relay-widget .toggle .word');
const isTracking = (page: Page) =>
  page.waitForFunction(() => {
    const own = document.getElementById('session-time')?.textContent ?? '';
    const root = document.querySelector('gaze-relay-widget')?.shadowRoot;
    return own !== '' || /focused/i.test(root?.querySelector('.word')?.textContent ?? '');
  });

/** Seconds counted in the session, as the page's own widget or ours shows them. */
const shownSeconds = (page: Page) =>
  page.evaluate(() => {
    const own = document.getElementById('session-time')?.textContent ?? '';
    const ours = document.querySelector('gaze-relay-widget')?.shadowRoot?.querySelectorAll('dd') ?? [];
    const texts = own === '' ? [...ours].map((figure) => figure.textContent ?? '') : [own];
    const count = (text: string, unit: RegExp) => Number(unit.exec(text)?.[1] ?? 0);
    return texts.reduce((sum, text) => sum + 60 * count(text, /(\d+)m/) + count(text, /(\d+)s/), 0);
  });

async function read(page: Page, expect: ExpectStatic): Promise<void> {
  const before = await shownSeconds(page);
  await expect.poll(() => shownSeconds(page), { timeout: 120_000 }).toBeGreaterThanOrEqual(before + READ_S);
}

beforeAll(async () => {
  ensureProgram(PHP_MYSQL);
  database = await startMariaDb();
  clip = await expandMjpeg(CLIP_FRAMES.slice(0, 60), CLIP_FPS);
  kept = await mkdtemp(join(tmpdir(), 'relay-kept-'));
});

afterAll(async () => {
  await clip?.remove();
  await database?.stop();
  if (kept !== undefined) await rm(kept, { recursive: true, force: true });
});

// Side by side: most of a walk is reading.
describe.concurrent.each(LINEAGES)('the pages of lineage %s, with nothing but the installer run', (lineage) => {
  let school: School;

  beforeAll(async () => {
    school = await openSchool(lineage);
    await countCameras(school.browser.context);
  });

  afterAll(() => school?.stop());

  it('log in, agree, open a lesson, read, next section, leave, open the dashboard', { timeout: 300_000 }, async ({
    expect,
  }) => {
    const { php, browser, query } = school;
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
    await page.goto(`${php.url}login.php?id=7`);

    // Before the platform's agreement there is no camera, and the page says why.
    await page.goto(lessonUrl(school, 12));
    if (lineage === 'A ajax') await expect.poll(() => errors.join()).toContain('camera agreement');
    else
      await expect
        .poll(() => page.locator('gaze-relay-widget p:not([hidden])').first().textContent())
        .toContain('camera agreement');
    // The second camera of A is its own second tracker's, which the installer took out.
    expect(await liveCameras(page)).toBe(0);

    await page.goto(`${php.url}agree.php`);
    const openedAtMs = performance.now();
    await page.goto(lessonUrl(school, 12));
    await isTracking(page);
    expect(await liveCameras(page)).toBe(1);
    await read(page, expect);
    await page.locator('#next').click();
    await page.waitForURL(/section_id=13/);
    await isTracking(page);
    await read(page, expect);
    expect(await liveCameras(page)).toBe(1);
    await page.goto('about:blank');
    const passedS = (performance.now() - openedAtMs) / 1000;

    const rows = async () => {
      await page.goto(`${php.url}dashboard.php`);
      return JSON.parse(await page.evaluate(() => document.body.innerText)) as [number | null, number, number][];
    };
    await expect.poll(async () => (await rows()).map(([section]) => section), { timeout: 60_000 }).toEqual([12, 13]);
    const totals = await rows();
    for (const [, total, focused] of totals) {
      expect(total).toBeGreaterThanOrEqual(30);
      expect(focused).toBeGreaterThan(0);
    }
    // No more than has passed; each row is rounded.
    expect(totals.reduce((sum, [, total]) => sum + total, 0)).toBeLessThanOrEqual(passedS + 1);
    // One session of the student, over both sections.
    expect(await query('SELECT COUNT(*) AS count FROM relay_sessions WHERE user_id = 7')).toEqual([{ count: 1 }]);
  });

  it('on the list of modules nothing is tracked', async ({ expect }) => {
    const page = await school.browser.newPage();
    // What the script says when the page's own scripts have had their chance and there is no lesson.
    const decided = page.waitForEvent('console', (message) => message.text().includes('Nothing is tracked'));
    await page.goto(`${school.php.url}user/Smodule.php`);
    await decided;
    expect(await page.locator('gaze-relay-widget').count()).toBe(0);
    expect(await liveCameras(page)).toBe(0);
    await page.close();
  });
});

describe('the widget of a lesson page', () => {
  let school: School;
  let page: Page;

  beforeAll(async () => {
    school = await openSchool('B or D');
    await countCameras(school.browser.context);
    page = await school.browser.newPage();
    await page.goto(`${school.php.url}login.php?id=8`);
    await page.goto(`${school.php.url}agree.php`);
    await page.goto(lessonUrl(school, 12));
    await isTracking(page);
  });

  afterAll(() => school?.stop());

  it('says that it runs, opens to figures, and stops for this lesson and its next pages', async () => {
    const widget = page.locator('gaze-relay-widget');
    await widget.getByRole('button', { name: /^Focus tracking:/ }).click();
    await expect.poll(() => widget.locator('dl').innerText()).toMatch(/Focused/);
    await widget.getByRole('button', { name: 'Stop for this lesson' }).click();
    await expect.poll(() => liveCameras(page)).toBe(0);
    expect(await widgetText(page).textContent()).toBe('Stopped');
    await page.goto(lessonUrl(school, 13));
    await expect.poll(() => widgetText(page).textContent()).toBe('Stopped');
    expect(await liveCameras(page)).toBe(0);
    await widget.getByRole('button', { name: /^Focus tracking:/ }).click();
    await widget.getByRole('button', { name: 'Start again' }).click();
    await isTracking(page);
    expect(await liveCameras(page)).toBe(1);
  });

  it.each([
    [1440, 'footer that stays', '<div class="bar" style="position:fixed;bottom:0;left:0;right:0;text-align:right">'],
    [390, 'footer that stays', '<div class="bar" style="position:fixed;bottom:0;left:0;right:0;text-align:right">'],
    [1440, 'end of a long page', '<div style="height:3000px"></div><div class="bar" style="text-align:right">'],
    [390, 'end of a long page', '<div style="height:3000px"></div><div class="bar" style="text-align:right">'],
  ])('leaves the controls of a page free, %d px wide: %s', async (width, _name, opening) => {
    const lesson = await school.browser.newPage();
    await lesson.setViewportSize({ width, height: 800 });
    await lesson.goto(lessonUrl(school, 12));
    await isTracking(lesson);
    await lesson.evaluate((html) => {
      document.body.style.margin = '0';
      document.body.innerHTML = `${html}<button id="next" style="width:260px;height:60px">Complete and continue</button></div>`;
      scrollTo(0, document.documentElement.scrollHeight);
    }, opening);
    const coversNext = () =>
      lesson.evaluate(() => {
        const next = document.getElementById('next')?.getBoundingClientRect();
        const own = document.querySelector('gaze-relay-widget')?.getBoundingClientRect();
        if (next === undefined || own === undefined) return true;
        return own.left < next.right && next.left < own.right && own.top < next.bottom && next.top < own.bottom;
      });
    await expect.poll(coversNext, { timeout: 5000 }).toBe(false);
    await lesson.locator('#next').click();
    await lesson.close();
  });

  it('moves by the arrow keys, closes to a dot, and remembers both', async () => {
    const widget = page.locator('gaze-relay-widget');
    const place = async () => (await widget.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    if ((await widget.locator('.body').isVisible()) === true) await page.keyboard.press('Escape');
    const before = await place();
    const move = widget.getByRole('button', { name: /^Move/ });
    await move.focus();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowLeft');
    const moved = await place();
    expect([moved.x < before.x, moved.y < before.y]).toEqual([true, true]);
    await widget.getByRole('button', { name: 'Close to a dot' }).click();
    const dot = await place();
    expect(dot.width).toBeLessThanOrEqual(60);
    await page.reload();
    await isTracking(page);
    const after = await place();
    expect(Math.abs(after.x + after.width - (dot.x + dot.width))).toBeLessThan(3);
    expect(after.width).toBeLessThanOrEqual(60);
  });

  it('comes back where the page replaces its whole content, and offers to replace another camera program', async () => {
    const widget = page.locator('gaze-relay-widget');
    await page.evaluate(() => {
      document.documentElement.querySelector('gaze-relay-widget')?.remove();
      document.body.innerHTML = '<p>New content</p>';
    });
    await expect.poll(() => widget.count()).toBe(1);
    await page.evaluate(() => navigator.mediaDevices.getUserMedia({ video: true }));
    await widget.getByRole('button', { name: 'Use this one alone' }).click();
    expect(await liveCameras(page)).toBe(1);
    await isTracking(page);
  });

  it('an admin opens the reports from the admin page; without a ticket they say how to come in', async () => {
    await school.query("UPDATE users SET role = 'admin' WHERE id = 8");
    const admin = await school.browser.newPage();
    await admin.goto(`${school.php.url}admin/Adashboard.php`);
    await admin.getByRole('link', { name: 'Focus reports' }).click();
    await admin.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(new URL(admin.url()).origin).toBe(new URL(school.product.url).origin);
    expect(admin.url()).not.toContain('ticket');
    await admin.close();

    // Another browser profile: nothing is remembered there.
    const stranger = await launchChromium();
    try {
      const page = await stranger.newPage();
      const missing: string[] = [];
      page.on('response', (response) => void (response.status() === 404 && missing.push(response.url())));
      await page.goto(`${school.product.url}reports`);
      await page.getByText('Reports open from the learning platform').waitFor();
      expect(missing.filter((url) => !url.endsWith('/favicon.ico'))).toEqual([]);
    } finally {
      await stranger.close();
    }
  });

  it('without its widget no camera is opened; it is tried again, and nothing is left unhandled', async () => {
    const lesson = await school.browser.newPage();
    const unhandled: string[] = [];
    lesson.on('pageerror', (error) => void unhandled.push(error.message));
    let refused = 0;
    await lesson.route(/lesson-?widget/i, (route) => {
      refused += 1;
      return refused <= 2 ? route.abort() : route.continue();
    });
    await lesson.goto(lessonUrl(school, 12));
    await expect.poll(() => refused, { timeout: 20_000 }).toBe(2);
    expect(await liveCameras(lesson)).toBe(0);
    await isTracking(lesson);
    expect(await liveCameras(lesson)).toBe(1);
    expect(unhandled).toEqual([]);
    await lesson.close();
  });

  it('a page that starts the tracker itself, late, takes over: one camera, one session', async () => {
    const other = await openSchool('A');
    try {
      await countCameras(other.browser.context);
      const lesson = await other.browser.newPage();
      await lesson.goto(`${other.php.url}login.php?id=8`);
      await lesson.goto(`${other.php.url}agree.php`);
      await lesson.goto(lessonUrl(other, 12));
      await isTracking(lesson);
      const started = await lesson.evaluate(async () => {
        const { WebcamWebSocket } = window as unknown as {
          WebcamWebSocket: new (options: object) => { initialize(...ids: unknown[]): Promise<boolean> };
        };
        return new WebcamWebSocket({}).initialize(8, 3, 12);
      });
      expect(started).toBe(true);
      expect(await liveCameras(lesson)).toBe(1);
      expect(await lesson.locator('gaze-relay-widget').count()).toBe(0);
    } finally {
      await other.stop();
    }
  });
});
