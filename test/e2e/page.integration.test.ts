import mysql from 'mysql2/promise';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expandMjpeg, type FakeCameraClip, type LaunchedChromium, launchChromium } from '../../harness/chromium.ts';
import { CLIP_FPS, CLIP_FRAMES } from '../../harness/clip.ts';
import { createEyelearnTables } from '../../harness/eyelearn-schema.ts';
import { type MariaDb, startMariaDb } from '../../harness/mariadb.ts';
import { type Product, startProduct } from '../../harness/product.ts';

let database: MariaDb;
let databaseUrl: string;
let connection: mysql.Connection;
let product: Product;
let clip: FakeCameraClip;
let browser: LaunchedChromium;

const CLIP_MS = (CLIP_FRAMES.length / CLIP_FPS) * 1000;

/** Every stream the page ever gets is remembered, so that a test can ask whether the camera is off. */
function rememberStreams(): void {
  const streams: MediaStream[] = [];
  const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = await original(constraints);
    streams.push(stream);
    return stream;
  };
  Object.assign(window, { rememberedStreams: streams });
}

async function tracks(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { rememberedStreams } = window as unknown as { rememberedStreams: MediaStream[] };
    return rememberedStreams.flatMap((stream) => stream.getTracks().map((track) => track.readyState));
  });
}

/** Sum of the page's four clocks, in seconds. */
async function countedSeconds(page: Page): Promise<number> {
  return page.evaluate(() =>
    ['focused', 'unfocused', 'unknown', 'untracked']
      .map((kind) => document.getElementById(`time-${kind}`)?.textContent ?? '0:00')
      .map((text) => text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0))
      .reduce((sum, seconds) => sum + seconds, 0),
  );
}

beforeAll(async () => {
  database = await startMariaDb();
  databaseUrl = await database.createDatabase('eyelearn');
  connection = await mysql.createConnection(databaseUrl);
  await createEyelearnTables(connection, 'full');
  product = await startProduct({ MYSQL_URL: databaseUrl });
  clip = await expandMjpeg(CLIP_FRAMES, CLIP_FPS);
  browser = await launchChromium({ clipPath: clip.path });
});

afterAll(async () => {
  await browser?.close();
  await clip?.remove();
  await product?.stop();
  await connection?.end();
  await database?.stop();
});

describe('page → gateway → inference → MariaDB', () => {
  it("the clip's length arrives in EyeLearn's table, and the camera is off afterwards", async () => {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.addInitScript(rememberStreams);
    await page.goto(product.url);
    expect(await page.locator('#start').isVisible()).toBe(true);
    await page.locator('#consent').check();
    await page.locator('#start').click();
    await page.locator('#during').waitFor({ state: 'visible' });
    await page.waitForFunction(() => document.getElementById('time-focused')?.closest('section')?.checkVisibility());
    await expect.poll(() => countedSeconds(page)).toBeGreaterThanOrEqual(CLIP_MS / 1000);
    expect(await tracks(page)).toEqual(['live']);
    await page.locator('#stop').click();
    await page.locator('#after').waitFor({ state: 'visible' });
    expect(await tracks(page)).toEqual(['ended']);

    await page.locator('#report-link').click();
    await page.waitForURL(/\/reports\?.*#\/sessions\//);
    const sessionId = new URL(page.url()).hash.replace('#/sessions/', '');
    await page.locator('canvas').first().waitFor({ state: 'visible' });

    // The address that the report had before.
    await page.goto(new URL(`report.html?session=${sessionId}&userId=1&moduleId=1`, product.url).href);
    await page.locator('canvas').first().waitFor({ state: 'visible' });
    expect(new URL(page.url())).toMatchObject({ pathname: '/reports', hash: `#/sessions/${sessionId}` });
    expect(await page.locator('#nav').isVisible()).toBe(false);

    // Another student, in the same tab, is not shown what the one before may see.
    await page.goto(new URL(`reports?role=student&userId=2#/sessions/${sessionId}`, product.url).href);
    await page.getByRole('heading', { name: 'Nothing is stored here' }).waitFor();
    expect(problems.filter((text) => !text.includes('404'))).toEqual([]);

    const [sessions] = await connection.query<mysql.RowDataPacket[]>(
      'SELECT * FROM relay_report_sessions WHERE session_uuid = ?',
      [sessionId],
    );
    const session = sessions[0];
    if (session === undefined) throw new Error('the session is not in the database');
    const coveredMs = session.focused_ms + session.unfocused_ms + session.unknown_ms + session.untracked_ms;
    expect(coveredMs).toBeGreaterThanOrEqual(CLIP_MS);
    expect(coveredMs).toBe(session.ended_at_ms - session.started_at_ms);
    expect(session.frames_with_face / session.frames_processed).toBeGreaterThanOrEqual(0.95);
    expect(session.untracked_ms).toBe(0);

    const [rows] = await connection.query<mysql.RowDataPacket[]>('SELECT * FROM eye_tracking_sessions');
    expect(rows).toHaveLength(1);
    const row = rows[0];
    const focusedMs = session.focused_ms;
    const unfocusedMs = session.unfocused_ms;
    expect(row).toMatchObject({
      user_id: 1,
      module_id: 1,
      section_id: null,
      session_type: 'viewing',
      focused_time_seconds: Math.floor(focusedMs / 1000),
      unfocused_time_seconds: Math.floor(unfocusedMs / 1000),
    });
    expect(row?.total_time_seconds).toBe(row?.focused_time_seconds + row?.unfocused_time_seconds);
    await page.close();
  });

  it('a page that goes away leaves nothing uncounted', async () => {
    const page = await browser.newPage();
    await page.goto(product.url);
    await page.locator('#consent').check();
    await page.locator('#start').click();
    await page.locator('#during').waitFor({ state: 'visible' });
    await expect.poll(() => countedSeconds(page)).toBeGreaterThanOrEqual(3);
    await page.close();
    const newest = async () => {
      const [rows] = await connection.query<mysql.RowDataPacket[]>(
        'SELECT focused_ms + unfocused_ms + unknown_ms + untracked_ms AS covered_ms FROM relay_report_sessions ORDER BY started_at_ms DESC',
      );
      return rows.length < 2 ? null : Number(rows[0]?.covered_ms);
    };
    let coveredMs = await newest();
    while (coveredMs === null) coveredMs = await newest();
    // The page shows tenths of a second, to the nearest.
    expect(coveredMs).toBeGreaterThanOrEqual(2950);
  });
});
