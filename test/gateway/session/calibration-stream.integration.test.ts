import mysql from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../../../harness/gateway.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import { Peer } from '../../../harness/peer.ts';
import { waitFor } from '../../../harness/wait-for.ts';
import { CALIBRATION_VERSION } from '../../../shared/focus/calibration.ts';
import { FIVE_PLACES, lookingAt, type ReadAs, shownPoints } from '../../support/calibrating.ts';
import { DEVICE_A, DEVICE_B } from '../store/calibrations.ts';

const CAMERA = { widthPx: 640, heightPx: 480 };
const OFF: ReadAs = { gain: 1, yawOffsetDeg: 7, pitchOffsetDeg: -8 };
const EACH_MS = 100;
const USER = 7;

let database: MariaDb;
let databaseUrl: string;
let connection: mysql.Connection;
let gateway: TestGateway;
let count = 0;
const gateways: TestGateway[] = [];
const peers: Peer[] = [];

async function startReplica(): Promise<TestGateway> {
  const replica = await startTestGateway({ MYSQL_URL: databaseUrl });
  gateways.push(replica);
  return replica;
}

async function connect(to: TestGateway, device: string | null, resume: string | null = null) {
  const peer = await Peer.open(to.url);
  peers.push(peer);
  const welcome = await peer.hello(await to.ticket(USER), resume, device);
  return { peer, welcome };
}

/** Capture on the device: what it measured goes to the gateway, no picture does. */
async function capture(peer: Peer, atMs = 0): Promise<void> {
  peer.sendControl({ type: 'start', camera: CAMERA, sectionId: null, mode: 'device', atMs });
  await peer.control('started');
}

/** The student looks at each point in turn, four measurements each; the gateway has taken all of them. */
async function calibrate(peer: Peer, fromMs = 0): Promise<void> {
  const points = shownPoints(fromMs, EACH_MS);
  peer.sendControl({ type: 'calibrate' });
  points.forEach((point, i) => {
    for (let step = 0; step < 4; step++) {
      const observation = lookingAt(point.across, point.down, CAMERA, OFF);
      const captureMs = point.fromMs + 10 + step * 20;
      peer.send({ kind: 'observation', seq: i * 4 + step, captureMs, late: false, observation });
    }
  });
  await peer.update(points.length * 4 - 1);
  peer.sendControl({ type: 'calibrate_finish', points, screen: null });
}

async function stored(): Promise<mysql.RowDataPacket[]> {
  const [rows] = await connection.query<mysql.RowDataPacket[]>('SELECT * FROM relay_calibrations');
  return rows;
}

async function untilStored(): Promise<mysql.RowDataPacket> {
  const row = await waitFor('the calibration in the database', async () => (await stored())[0]);
  if (row === undefined) throw new Error('no calibration');
  return row;
}

beforeAll(async () => {
  database = await startMariaDb();
});
beforeEach(async () => {
  count += 1;
  databaseUrl = await database.createDatabase(`calibration_${count}`);
  connection = await mysql.createConnection(databaseUrl);
  gateway = await startReplica();
});
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.socket.terminate();
  for (const replica of gateways.splice(0)) await replica.dispose();
  await connection.end();
});
afterAll(() => database.stop());

describe('a calibration', () => {
  it('K-5 is applied, on disk, and in the database', async () => {
    const { peer, welcome } = await connect(gateway, DEVICE_A);
    expect(welcome.calibration).toBeNull();
    await capture(peer);
    await calibrate(peer);
    const answer = await peer.control('calibrated');
    expect(answer).toMatchObject({ version: CALIBRATION_VERSION, applied: true, kept: true });
    expect(answer.points).toEqual(FIVE_PLACES.map(() => ({ ok: true, readings: 4 })));
    expect(await untilStored()).toMatchObject({
      user_id: USER,
      device_id: DEVICE_A,
      version: CALIBRATION_VERSION,
      point_count: 5,
      validation_yaw_deg: answer.yawErrorDeg,
      validation_pitch_deg: answer.pitchErrorDeg,
    });
  });

  it('K-7 is used by the next session on the device, at another replica too, and on no other device', async () => {
    const first = await connect(gateway, DEVICE_A);
    await capture(first.peer);
    await calibrate(first.peer);
    const { yawErrorDeg } = await first.peer.control('calibrated');
    await untilStored();
    await first.peer.stop(1000);
    await first.peer.close();

    const replica = await startReplica();
    const second = await connect(replica, DEVICE_A);
    expect(second.welcome.sessionId).not.toBe(first.welcome.sessionId);
    expect(second.welcome.calibration).toMatchObject({ version: CALIBRATION_VERSION, yawErrorDeg });
    expect(second.welcome.calibration?.ageMs).toBeLessThan(60_000);
    // Read 8° too low and 7° aside, the student looks at the lower left corner all the same.
    await capture(second.peer);
    const observation = lookingAt(0.05, 0.95, CAMERA, OFF);
    for (let seq = 0; seq < 10; seq++) {
      second.peer.send({ kind: 'observation', seq, captureMs: seq * 100, late: false, observation });
    }
    expect(await second.peer.update(9)).toMatchObject({ state: 'focused', direction: 'centered' });
    await second.peer.stop(1000);
    // The report waits for the spool to be delivered.
    await replica.report(second.welcome.sessionId, USER);
    const [windows] = await connection.query<mysql.RowDataPacket[]>(
      'SELECT w.calibration_version, w.calibrated_at_ms FROM relay_windows w JOIN relay_sessions s ON s.id = w.session_id WHERE s.session_uuid = ?',
      [second.welcome.sessionId],
    );
    const [row] = await stored();
    expect(windows).toEqual([{ calibration_version: CALIBRATION_VERSION, calibrated_at_ms: row?.created_at_ms }]);

    expect((await connect(replica, DEVICE_B)).welcome.calibration).toBeNull();
    expect((await connect(replica, null)).welcome.calibration).toBeNull();
  });

  it('K-7 continues with the session, where it was made and at another replica', async () => {
    const first = await connect(gateway, DEVICE_A);
    await capture(first.peer);
    await calibrate(first.peer);
    await first.peer.control('calibrated');
    await untilStored();
    first.peer.socket.terminate();
    const here = await connect(gateway, DEVICE_A, first.welcome.resume);
    expect(here.welcome).toMatchObject({ resumed: true, calibration: { version: CALIBRATION_VERSION } });
    here.peer.socket.terminate();
    const replica = await startReplica();
    const there = await connect(replica, DEVICE_A, here.welcome.resume);
    expect(there.welcome).toMatchObject({ resumed: true, calibration: { version: CALIBRATION_VERSION } });
  });

  it('without a device lasts as long as its session', async () => {
    const first = await connect(gateway, null);
    await capture(first.peer);
    await calibrate(first.peer);
    expect(await first.peer.control('calibrated')).toMatchObject({ applied: true, kept: false });
    first.peer.socket.terminate();
    const again = await connect(gateway, null, first.welcome.resume);
    expect(again.welcome.calibration).toMatchObject({ version: CALIBRATION_VERSION });
    expect((await connect(gateway, null)).welcome.calibration).toBeNull();
    expect(await stored()).toEqual([]);
  });

  it('is not lost when the database is away while it is made', async () => {
    const { peer } = await connect(gateway, DEVICE_A);
    await capture(peer);
    await database.kill();
    await calibrate(peer);
    expect(await peer.control('calibrated')).toMatchObject({ applied: true, kept: true });
    peer.socket.terminate();
    const meanwhile = await connect(gateway, DEVICE_A);
    expect(meanwhile.welcome.calibration).toMatchObject({ version: CALIBRATION_VERSION });
    await database.restart();
    connection.destroy();
    connection = await mysql.createConnection(databaseUrl);
    expect(await untilStored()).toMatchObject({ user_id: USER, device_id: DEVICE_A });
  });
});
