import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Role } from '../../../gateway/auth/ticket.ts';
import { folderRecords } from '../../../gateway/delivery/folder-records.ts';
import { openQueueFile } from '../../../gateway/delivery/queue-file.ts';
import { createLibsqlStore } from '../../../gateway/store/libsql/store.ts';
import { SILENT, startTestGateway, type TestGateway } from '../../../harness/gateway.ts';
import { Peer } from '../../../harness/peer.ts';
import { answers } from '../../../shared/report/answers.ts';
import { metricsWindow, SESSION_A, SESSION_B } from '../store/windows.ts';

const ADMIN = 50;
let dataDir: string;
let gateway: TestGateway;

async function ask(method: 'GET' | 'DELETE', userId: number, reader: { id: number; role: Role }, token?: string) {
  const ticket = token ?? (await gateway.ticket(reader.id, { role: reader.role }));
  return fetch(new URL(`/api/v1/students/${userId}/data`, gateway.url), {
    method,
    headers: { authorization: `Bearer ${ticket}` },
  });
}

const admin = { id: ADMIN, role: 'admin' } as const;

async function exported(userId: number) {
  return answers.studentData.parse(await (await ask('GET', userId, admin)).json());
}

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { error: { code: string } }).error.code;
}

/** A student who studied for a second and is still connected. */
async function studying(userId: number): Promise<Peer> {
  const peer = await Peer.open(gateway.url);
  await peer.hello(await gateway.ticket(userId));
  await peer.start();
  peer.send({ kind: 'same', seq: 0, captureMs: 500, late: false });
  await peer.update(0);
  return peer;
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'relay-privacy-'));
  const store = createLibsqlStore({ path: join(dataDir, 'gaze-relay.db'), logger: SILENT });
  await store.migrate();
  await store.applyWindows([metricsWindow(), metricsWindow({ sessionId: SESSION_B, userId: 8 })]);
  await store.close();
  // A window that no store takes lies aside.
  const spool = await openQueueFile(join(dataDir, 'spool.db'), SILENT, Date.now());
  await spool.append(
    [
      { sessionId: SESSION_A, body: JSON.stringify({ ...metricsWindow(), focusedMs: -1 }) },
      { sessionId: SESSION_A, body: 'not JSON' },
    ],
    1,
  );
  spool.close();
  gateway = await startTestGateway({}, { dataDir });
});

afterAll(async () => {
  await gateway?.dispose();
  await rm(dataDir, { recursive: true, force: true });
});

describe("a student's data on demand", () => {
  it('is given to the student and to admins, to no other reader', async () => {
    expect((await ask('GET', 7, { id: 7, role: 'student' })).status).toBe(200);
    expect((await ask('GET', 7, admin)).status).toBe(200);
    for (const reader of [
      { id: 8, role: 'student' },
      { id: 51, role: 'teacher' },
    ] as const) {
      const response = await ask('GET', 7, reader);
      expect(response.status).toBe(403);
      expect(await codeOf(response)).toMatch(/^(student|role)_not_allowed$/);
    }
    expect((await ask('GET', 7, admin, 'not.a.ticket')).status).toBe(401);
  });

  it('holds every row of the student, none of others, and who has asked for it', async () => {
    const { tables } = await exported(7);
    expect(tables.relay_sessions).toMatchObject([{ session_uuid: SESSION_A, user_id: 7 }]);
    expect(tables.relay_windows).toMatchObject([{ focused_ms: 20_250, unfocused_ms: 6500 }]);
    expect(tables.relay_hours).toMatchObject([{ day: '2026-03-02' }]);
    expect(tables.relay_bouts).toHaveLength(2);
    expect(tables.relay_audit?.at(-1)).toMatchObject({
      actor_user_id: ADMIN,
      actor_role: 'admin',
      action: 'export_student',
    });
    expect(tables['spool.db/spool_windows']).toMatchObject([{ session_id: SESSION_A, status: 'set_aside' }]);
    expect(JSON.stringify(tables)).not.toContain(SESSION_B);
  });

  it('holds what the student has just been counted, too', async () => {
    const peer = await studying(9);
    const waiting = async () => (await folderRecords(dataDir).exportOf(9))['open-windows.db/open_windows'];
    await vi.waitFor(async () => expect(await waiting()).toHaveLength(1), { timeout: 20_000, interval: 50 });
    const running = (await exported(9)).tables['open-windows.db/open_windows'];
    expect(JSON.parse(String(running?.[0]?.body))).toMatchObject({ userId: 9 });
    await peer.close();
  });

  it('is deleted for admins with a fresh ticket alone', async () => {
    for (const reader of [
      { id: 7, role: 'student' },
      { id: 51, role: 'teacher' },
    ] as const) {
      expect((await ask('DELETE', 7, reader)).status).toBe(403);
    }
    const exchange = await fetch(new URL('/api/v1/reader-token', gateway.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${await gateway.ticket(ADMIN, { role: 'admin' })}` },
    });
    const { token } = answers.token.parse(await exchange.json());
    expect((await ask('DELETE', 7, admin, token)).status).toBe(401);
    expect((await exported(7)).tables.relay_windows).toHaveLength(1);
  });

  it('is not deleted while the student is connected', async () => {
    const peer = await studying(7);
    const refused = await ask('DELETE', 7, admin);
    expect(refused.status).toBe(409);
    expect(await codeOf(refused)).toBe('student_connected');
    await peer.close();
  });

  it('is deleted whole: what is stored, what waits for the student to come back, what was set aside', async () => {
    const peer = await studying(7);
    await peer.close();
    // The gateway hears of it a moment later than the student.
    let response = await ask('DELETE', 7, admin);
    while (response.status === 409) response = await ask('DELETE', 7, admin);
    expect(answers.studentDeleted.parse(await response.json()).deleted).toMatchObject({
      relay_sessions: 3,
      'spool.db/spool_windows': 1,
    });
    const { tables } = await exported(7);
    const { relay_audit: audit, ...rest } = tables;
    for (const rows of Object.values(rest)) expect(rows).toEqual([]);
    expect(audit?.map(({ action }) => action)).toContain('delete_student');
    expect((await exported(8)).tables.relay_windows).toHaveLength(1);
    await gateway.close();
    const spool = await openQueueFile(join(dataDir, 'spool.db'), SILENT, Date.now());
    expect(await spool.setAside()).toMatchObject([{ body: 'not JSON' }]);
    spool.close();
  });
});
