import mysql from 'mysql2/promise';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expandMjpeg, type FakeCameraClip, type LaunchedChromium, launchChromium } from '../../harness/chromium.ts';
import { CLIP_FPS, CLIP_FRAMES } from '../../harness/clip.ts';
import { type MariaDb, startMariaDb } from '../../harness/mariadb.ts';
import { type Product, startProduct } from '../../harness/product.ts';
import { CALIBRATION_VERSION } from '../../shared/focus/calibration.ts';

let database: MariaDb;
let connection: mysql.Connection;
let product: Product;
let clip: FakeCameraClip;
let browser: LaunchedChromium;

/**
 * A small phone: the man in the clip looks at his screen and not at our dots, which on a phone are so near to each other that he is
 * calibrated all the same.
 */
const PHONE = { width: 390, height: 560 };

beforeAll(async () => {
  database = await startMariaDb();
  const databaseUrl = await database.createDatabase('calibration');
  connection = await mysql.createConnection(databaseUrl);
  product = await startProduct({ MYSQL_URL: databaseUrl });
  clip = await expandMjpeg(CLIP_FRAMES, CLIP_FPS);
  browser = await launchChromium({ clipPath: clip.path, viewport: PHONE });
});

afterAll(async () => {
  await browser?.close();
  await clip?.remove();
  await product?.stop();
  await connection?.end();
  await database?.stop();
});

async function openPage(): Promise<{ page: Page; problems: string[] }> {
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  await page.goto(product.url);
  await page.locator('#consent').check();
  await page.locator('#start').click();
  await page.locator('#set-up').waitFor({ state: 'visible' });
  await page.waitForFunction(() => document.getElementById('set-up-line')?.textContent !== '');
  return { page, problems };
}

const line = (page: Page) => page.locator('#set-up-line').textContent();

async function calibrations(): Promise<mysql.RowDataPacket[]> {
  const [rows] = await connection.query<mysql.RowDataPacket[]>('SELECT * FROM relay_calibrations');
  return rows;
}

/** A machine that is busy elsewhere sends too few pictures of a dot: the page offers a repeat then, as to any student. */
async function untilMeasured(dialog: Locator): Promise<void> {
  const measured = dialog.getByText(/^Your gaze is now measured to about \d+°$/);
  const again = dialog.getByRole('button', { name: /^(Try|Show it|Show them) again$/ });
  for (;;) {
    await measured.or(again).first().waitFor();
    if (await measured.isVisible()) return;
    await again.press('Enter');
    await again.waitFor({ state: 'hidden' });
  }
}

describe('page → five dots → MariaDB → the next session', () => {
  it('moves nothing where the student wants it so; Escape skips it, nothing is kept, and the focus is back on the button', async () => {
    const { page, problems } = await openPage();
    await page.emulateMedia({ reducedMotion: 'reduce' });
    expect(await line(page)).toBe('Your screen is not set up yet.');
    await page.locator('#set-up').click();
    const dialog = page.locator('dialog[open]');
    await dialog.waitFor();
    expect(await dialog.locator('h2').textContent()).toBe('Set up your screen');
    await page.keyboard.press('Enter');
    await dialog.locator('.dot.watched').waitFor({ state: 'visible' });
    const moving = await dialog.locator('.dot').evaluate((dot) => getComputedStyle(dot, '::before').transitionProperty);
    expect(moving).toBe('none');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('set-up');
    expect(await line(page)).toBe('Your screen is not set up yet.');
    expect(problems).toEqual([]);
    await page.locator('#stop').click();
    await page.locator('#after').waitFor({ state: 'visible' });
    await page.close();
    expect(await calibrations()).toEqual([]);
  });

  it('is applied, stored, and used by the next session of this browser', async () => {
    const { page, problems } = await openPage();
    await page.locator('#set-up').click();
    const dialog = page.locator('dialog[open]');
    await dialog.waitFor();
    await page.keyboard.press('Enter');
    await untilMeasured(dialog);
    await page.keyboard.press('Tab');
    // The last button leaves, whether a repeat is offered or not.
    await dialog.getByRole('button', { name: /^(Done|Keep it)$/ }).press('Enter');
    await dialog.waitFor({ state: 'detached' });
    expect(await line(page)).toMatch(/^Your screen was set up just now; your gaze is measured to about \d+°\.$/);
    expect(problems).toEqual([]);
    await page.locator('#stop').click();
    await page.locator('#after').waitFor({ state: 'visible' });
    await page.close();

    let rows = await calibrations();
    while (rows.length === 0) rows = await calibrations();
    expect(rows).toMatchObject([{ user_id: 1, version: CALIBRATION_VERSION }]);

    /** Windows that the calibration was used in, and the others of their sessions, of sessions after the given one. */
    const windowsAfter = async (sessionRow: number) => {
      for (;;) {
        const [found] = await connection.query<mysql.RowDataPacket[]>(
          'SELECT session_id, calibration_version, calibrated_at_ms FROM relay_windows WHERE session_id > ? ORDER BY session_id, seq',
          [sessionRow],
        );
        const used = found.find(({ calibration_version }) => calibration_version === CALIBRATION_VERSION);
        if (used !== undefined) return found.filter(({ session_id }) => session_id === used.session_id);
      }
    };
    const [first] = await windowsAfter(0);
    const next = await openPage();
    expect(await line(next.page)).toMatch(/^Your screen was set up (just now|a minute ago)/);
    await next.page.waitForFunction(() => document.getElementById('time-focused')?.textContent !== '0:00');
    await next.page.locator('#stop').click();
    await next.page.locator('#after').waitFor({ state: 'visible' });
    await next.page.close();
    const windows = await windowsAfter(first?.session_id);
    expect(windows[0]?.calibrated_at_ms).toBe(rows[0]?.created_at_ms);
  });

  it('asks to turn the head after the dots, and goes on without it where the student leaves that out', async () => {
    const { page, problems } = await openPage();
    await page.locator('#set-up').click();
    const dialog = page.locator('dialog[open]');
    await dialog.waitFor();
    await page.keyboard.press('Enter');
    const hint = dialog.getByText('Keep looking at the dot and slowly turn your head to the left and to the right.');
    await hint.waitFor({ state: 'visible' });
    expect(await dialog.locator('.foot').innerText()).toMatch(/^Last step/);
    // The words stand clear of the dot and of what is below them.
    const [dot, words, foot] = await Promise.all(
      [dialog.locator('.dot'), hint, dialog.locator('.foot')].map((part) => part.boundingBox()),
    );
    expect(words?.y).toBeGreaterThan((dot?.y ?? 0) + (dot?.height ?? 0));
    expect(foot?.y).toBeGreaterThan((words?.y ?? 0) + (words?.height ?? 0));
    await dialog.getByRole('button', { name: 'Leave this out' }).press('Enter');
    await hint.waitFor({ state: 'hidden' });
    await dialog.getByRole('heading', { name: /^(Your gaze is now|The set-up did not|One dot|\d dots)/ }).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(problems).toEqual([]);
    await page.locator('#stop').click();
    await page.locator('#after').waitFor({ state: 'visible' });
    await page.close();
  });
});
