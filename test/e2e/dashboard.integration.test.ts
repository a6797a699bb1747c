import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LaunchedChromium, launchChromium } from '../../harness/chromium.ts';
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts';
import { type MariaDb, startMariaDb } from '../../harness/mariadb.ts';
import { Peer } from '../../harness/peer.ts';
import { startGateway } from '../../harness/services.ts';
import { STUDENTS, schoolWindows, TEACHER } from '../support/report-data.ts';
import { createSchool, storeWindows } from '../support/school-database.ts';

/** Two weeks of March 2026; the pages are asked for them by their address. */
const FIRST_DAY_MS = Date.UTC(2026, 2, 1, 16);
const CARLA = 9;
const SCHOOL = schoolWindows({ seed: 21, firstDayMs: FIRST_DAY_MS, days: 13, firstWeekday: 1 });
const newestOfCarla = SCHOOL.filter(({ userId }) => userId === CARLA).at(-1)?.sessionId;
/** One session is a recording of an earlier one, sent after an outage. */
const WINDOWS = SCHOOL.map((window) =>
  window.sessionId === newestOfCarla ? { ...window, lateMs: 1000, suspect: 'replayed' as const } : window,
);
const DAYS = 'from=2026-03-01&to=2026-03-15';

let database: MariaDb;
let dataDir: string;
let gateway: TestGateway;
let browser: LaunchedChromium;
let page: Page;
const problems: string[] = [];

const focusedMs = (windows: typeof WINDOWS) => windows.reduce((sum, window) => sum + window.focusedMs, 0);
const trackedMs = (windows: typeof WINDOWS) =>
  windows.reduce((sum, window) => sum + window.focusedMs + window.unfocusedMs + window.unknownMs, 0);
const percentText = (windows: typeof WINDOWS) => `${Math.round((focusedMs(windows) / trackedMs(windows)) * 100)} %`;
const ofCarla = WINDOWS.filter(({ userId }) => userId === CARLA);

/** Opens the dashboard as the platform's link does: with a ticket behind the `#`. */
async function signIn(role: 'teacher' | 'student', userId: number): Promise<void> {
  await page.goto(`${gateway.url}reports#ticket=${await gateway.ticket(userId, { role })}`);
  await page.waitForFunction(() => !location.hash.includes('ticket') && document.querySelector('#page-title'));
}

async function open(hash: string): Promise<void> {
  await page.goto(`${gateway.url}reports${hash}`);
  await settled();
}

async function settled(): Promise<void> {
  await page.waitForFunction(() => document.querySelector('#page-title') && !document.querySelector('[aria-busy]'));
}

/** Presses a card's CSV button and returns the file's lines as fields by name. */
async function csvOf(title: string): Promise<Record<string, string>[]> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: `Download CSV: ${title}` }).click(),
  ]);
  const text = await readFile(await download.path(), 'utf8');
  expect(text.startsWith('\uFEFF')).toBe(true);
  const [header = '', ...lines] = text.slice(1).trimEnd().split('\r\n');
  const names = header.split(',');
  return lines.map((line) => {
    const fields = line.split(',');
    return Object.fromEntries(names.map((name, index) => [name, fields[index] ?? '']));
  });
}

beforeAll(async () => {
  database = await startMariaDb();
  const mysqlUrl = await createSchool(database, 'school');
  dataDir = await mkdtemp(join(tmpdir(), 'relay-dashboard-'));
  await storeWindows({ mysqlUrl, dataDir }, WINDOWS);
  gateway = await startTestGateway({ MYSQL_URL: mysqlUrl }, { dataDir });
  browser = await launchChromium();
  page = await browser.newPage();
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
});

afterEach(() => {
  expect(problems.splice(0)).toEqual([]);
});

afterAll(async () => {
  await browser?.close();
  await gateway?.dispose();
  await database?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

describe('a teacher', () => {
  it('comes by the link of the platform, and the ticket does not stay in the address', async () => {
    await signIn('teacher', TEACHER.id);
    expect(page.url()).not.toContain('ticket');
    expect(await page.locator('#who').textContent()).toBe('Teresa Lim');
    await page.reload();
    await page.locator('#page-title').waitFor();
    expect(await page.locator('#who').textContent()).toBe('Teresa Lim');
  });

  it('sees the class, opens a student and a session, and downloads the same numbers', async () => {
    await open(`#/?${DAYS}`);
    expect(await page.getByTestId('focus-share').textContent()).toBe(percentText(WINDOWS));
    const [overview] = await csvOf('At a glance');
    expect(overview?.focused_ms).toBe(String(focusedMs(WINDOWS)));
    expect(await page.locator('canvas').count()).toBe(3);

    await page.getByRole('link', { name: 'Students', exact: true }).click();
    await settled();
    await page.getByRole('link', { name: 'Carla Domingo' }).click();
    await page.getByRole('heading', { level: 1, name: 'Carla Domingo' }).waitFor();
    expect(await page.getByTestId('focus-share').textContent()).toBe(percentText(ofCarla));
    const [carla] = await csvOf('At a glance');
    expect(carla).toMatchObject({
      user_id: String(CARLA),
      name: 'Carla Domingo',
      class: 'BSIT-1A',
      focused_ms: String(focusedMs(ofCarla)),
      tracked_ms: String(trackedMs(ofCarla)),
    });

    const newest = ofCarla.at(-1)?.sessionId ?? '';
    const session = ofCarla.filter(({ sessionId }) => sessionId === newest);
    const table = page.getByRole('region', { name: 'Sessions' });
    expect(await table.getByRole('columnheader', { name: 'Sent late' }).count()).toBe(1);
    expect(await table.getByRole('row').nth(1).textContent()).toContain('played again from an earlier session');
    await table.getByRole('link').first().click();
    await page.locator('.session-strip').waitFor();
    expect(page.url()).toContain(newest);
    expect(await page.getByRole('note').textContent()).toMatch(/cannot come from a live camera.*for you to judge/);
    expect(await page.getByTestId('focus-share').textContent()).toBe(percentText(session));
    const bouts = session.flatMap((window) => window.bouts);
    expect(await page.locator('.strip-unfocused').count()).toBe(
      bouts.filter(({ kind }) => kind === 'unfocused').length,
    );
    expect(await page.locator('.strip-focused').count()).toBe(bouts.filter(({ kind }) => kind === 'focused').length);
    const rows = await csvOf('Over time');
    expect(rows.map((row) => [row.seq, row.focused_ms])).toEqual(
      session.map((w) => [String(w.seq), String(w.focusedMs)]),
    );
  });

  it('chooses a class and days, and the address keeps both', async () => {
    await open(`#/?${DAYS}`);
    await page.getByLabel('Class', { exact: true }).selectOption('BSIT-1B');
    await page.getByRole('heading', { level: 1, name: 'Class BSIT-1B' }).waitFor();
    const inClass = new Set(STUDENTS.filter(({ className }) => className === 'BSIT-1B').map(({ id }) => id));
    expect(await page.getByTestId('focus-share').textContent()).toBe(
      percentText(WINDOWS.filter(({ userId }) => inClass.has(userId))),
    );
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Class BSIT-1B' }).waitFor();
    await page.getByLabel('To', { exact: true }).fill('2026-02-28');
    await page.getByText('No sessions in these days').waitFor();
  });

  it('finds where in a lesson section students look away', async () => {
    await open(`#/modules/4?${DAYS}`);
    await page.getByRole('link', { name: 'Joins' }).click();
    await page.getByRole('heading', { level: 1, name: 'Joins' }).waitFor();
    expect(await page.locator('.moments li').count()).toBe(3);
    const minutes = await csvOf('Where students look away');
    const inJoins = WINDOWS.filter(({ sectionId }) => sectionId === 42);
    expect(minutes.reduce((sum, row) => sum + Number(row.focused_ms), 0)).toBe(focusedMs(inJoins));
  });

  it('sorts and searches students from the keyboard', async () => {
    await open(`#/students?${DAYS}`);
    await page.getByRole('button', { name: 'Focus' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('th[aria-sort="ascending"]', { hasText: 'Focus' }).waitFor();
    await settled();
    const shares = await page.locator('tbody .share-text').allTextContents();
    const numbers = shares.map((text) => Number.parseInt(text, 10));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    await page.getByLabel('Find a student').fill('oscar');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
    expect(await page.locator('tbody th').textContent()).toBe('Oscar de la Peña');
  });

  it('sees who is tracked now, and that they have left', async () => {
    await open('#/live');
    await page.getByText('Nobody is being tracked').waitFor();
    const peer = await Peer.open(gateway.url);
    await peer.hello(await gateway.ticket(CARLA, { moduleId: 3 }));
    await peer.start();
    const row = page.getByRole('row', { name: /Carla Domingo/ });
    await row.waitFor();
    expect(await row.textContent()).toContain('Computer Networks');
    peer.socket.terminate();
    await page.getByText('Nobody is being tracked').waitFor();
  });
});

describe('a student', () => {
  it('sees their own page wherever they go, and no way to others', async () => {
    await signIn('student', CARLA);
    await open(`#/students?${DAYS}`);
    await page.getByRole('heading', { level: 1, name: 'Carla Domingo' }).waitFor();
    expect(await page.getByTestId('focus-share').textContent()).toBe(percentText(ofCarla));
    expect(await page.locator('#nav').isVisible()).toBe(false);
    await open(`#/students/7?${DAYS}`);
    await page.getByRole('heading', { level: 1, name: 'Carla Domingo' }).waitFor();
  });
});

describe('on a development gateway', () => {
  it('one is a teacher by opening the page, and the embedded store has reports too', async () => {
    const ownDir = await mkdtemp(join(tmpdir(), 'relay-dashboard-dev-'));
    await storeWindows({ mysqlUrl: null, dataDir: ownDir }, ofCarla);
    const env = { PATH: process.env.PATH, LOG_LEVEL: 'warn', HOST: '127.0.0.1', PORT: '0', DATA_DIR: ownDir };
    const development = await startGateway({ env, log: 'ignore' }, 1);
    const other = await browser.newPage();
    await other.goto(`http://127.0.0.1:${development.port}/reports#/students?${DAYS}`);
    await other.getByRole('link', { name: `Student ${CARLA}` }).click();
    await other.getByRole('heading', { level: 1, name: `Student ${CARLA}` }).waitFor();
    expect(await other.getByTestId('focus-share').textContent()).toBe(percentText(ofCarla));
    await other.close();
    await development.stop();
    await rm(ownDir, { recursive: true, force: true });
  });
});

describe('a visitor without a ticket', () => {
  it('is shown where to sign in', async () => {
    const other = await browser.newPage();
    await other.goto(`${gateway.url}reports`);
    await other.getByRole('heading', { name: 'Please sign in' }).waitFor();
    expect(await other.locator('#nav').isVisible()).toBe(false);
    await other.close();
  });
});
