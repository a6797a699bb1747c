import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MAX_PENDING_PER_ADDRESS } from '../../gateway/http/pending-connections.ts';
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts';
import { frameMessage, Peer } from '../../harness/peer.ts';
import { PostPeer, textPart } from '../../harness/post-peer.ts';
import { clientFrame, FrameReader, frameHeader, OPCODE, openRaw } from '../../harness/raw-websocket.ts';
import { encodeClientMessage } from '../../shared/protocol/frames.ts';
import { STREAM_PATH, SUBPROTOCOL } from '../../shared/protocol/version.ts';
import { captureLog } from '../support/log-capture.ts';
import { describeRefusedUpgrades } from '../support/refused-upgrades.ts';

const ADDRESS_HEADER = 'x-real-ip';

const log = captureLog();
let gateway: TestGateway;
/** A student who is there all the while and must not notice. */
let bystander: Peer;
let bystanderSeq = 0;
const sockets: Socket[] = [];

beforeAll(async () => {
  gateway = await startTestGateway({ CLIENT_ADDRESS_HEADER: ADDRESS_HEADER }, { logger: log.logger });
  bystander = await Peer.open(gateway.url);
  await bystander.hello(await gateway.ticket(1));
  await bystander.start();
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  bystanderSeq += 1;
  bystander.send({ kind: 'same', seq: bystanderSeq, captureMs: bystanderSeq, late: false });
  expect(await bystander.update(bystanderSeq)).toMatchObject({ outcome: 'processed' });
});

afterAll(async () => {
  await bystander?.close();
  await gateway?.dispose();
});

interface Closed {
  readonly code: number;
  readonly reason: string;
}

interface Attacker {
  readonly socket: Socket;
  readonly status: number;
  /** Code and reason of the close frame, or null when the connection broke off without one. */
  readonly ended: Promise<Closed | null>;
  /** Resolves when a text of this type has come. */
  readonly heard: (type: string) => Promise<void>;
}

/** Opens a WebSocket from an address, as the proxy in front would name it. */
async function attack(address: string, { answersClose = true } = {}): Promise<Attacker> {
  const headers = { [ADDRESS_HEADER]: address };
  const { socket, status, rest } = await openRaw(gateway.url, { path: STREAM_PATH, protocol: SUBPROTOCOL, headers });
  sockets.push(socket);
  let close: Closed | null = null;
  const texts: string[] = [];
  let wake = () => {};
  const reader = new FrameReader((opcode, payload) => {
    if (opcode === OPCODE.text) texts.push((JSON.parse(payload.toString('utf8')) as { type: string }).type);
    if (opcode === OPCODE.close) {
      close = { code: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) };
      if (answersClose) socket.end(clientFrame(OPCODE.close, payload));
    }
    wake();
  });
  const ended = new Promise<Closed | null>((resolve) => socket.once('close', () => resolve(close)));
  if (status === 101) {
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
    reader.push(rest);
  }
  const heard = async (type: string) => {
    while (!texts.includes(type)) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { socket, status, ended, heard };
}

async function admitted(address: string, userId: number, how = {}): Promise<Attacker> {
  const attacker = await attack(address, how);
  const hello = {
    type: 'hello',
    protocol: SUBPROTOCOL,
    ticket: await gateway.ticket(userId),
    resume: null,
    client: 'raw',
  };
  attacker.socket.write(clientFrame(OPCODE.text, JSON.stringify(hello)));
  await attacker.heard('welcome');
  return attacker;
}

async function tracking(address: string, userId: number): Promise<Attacker> {
  const attacker = await admitted(address, userId);
  const camera = { widthPx: 400, heightPx: 300 };
  const start = { type: 'start', camera, sectionId: null, mode: 'server', atMs: 0 };
  attacker.socket.write(clientFrame(OPCODE.text, JSON.stringify(start)));
  await attacker.heard('started');
  return attacker;
}

/** Writes a little again and again until the other side has had enough. */
async function trickle(socket: Socket, next: () => Uint8Array | string): Promise<void> {
  const timer = setInterval(() => {
    if (socket.writable) socket.write(next());
  }, 100);
  // Not events.once: a reset at the last bytes is no failure.
  await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(timer);
}

describe('connections that ask for something else than the stream', () => {
  describeRefusedUpgrades({ url: () => gateway.url, path: STREAM_PATH });
});

describe('before anyone is admitted', () => {
  it('C-2 a request head or a hello that comes a byte at a time does not hold its connection', async () => {
    const { hostname, port } = new URL(gateway.url);
    const head = connect({ host: hostname, port: Number(port) });
    sockets.push(head);
    head.on('error', () => {});
    await once(head, 'connect');
    head.write(`GET ${STREAM_PATH} HTTP/1.1\r\nHost: localhost\r\n`);
    const hello = await attack('192.0.2.1');
    hello.socket.write(clientFrame(OPCODE.text, '{', false));
    await Promise.all([
      trickle(head, () => 'x-more: and more\r\n'),
      // Each is a whole message of its own where it is a ping: traffic does not extend the deadline.
      trickle(hello.socket, () => clientFrame(OPCODE.ping, '')),
    ]);
    expect(await hello.ended).toEqual({ code: 4408, reason: 'hello_timeout' });
  });

  it('C-2 a picture instead of a hello ends the connection', async () => {
    const { socket, ended } = await attack('192.0.2.2');
    socket.write(clientFrame(OPCODE.binary, encodeClientMessage(frameMessage(0, 0, Uint8Array.of(1)))));
    expect(await ended).toEqual({ code: 4400, reason: 'hello_expected' });
  });

  it('so does a second message while the ticket is still being verified', async () => {
    const { socket, ended } = await attack('192.0.2.2');
    const hello = {
      type: 'hello',
      protocol: SUBPROTOCOL,
      ticket: await gateway.ticket(30),
      resume: null,
      client: 'raw',
    };
    const text = clientFrame(OPCODE.text, JSON.stringify(hello));
    socket.write(Buffer.concat([text, text]));
    expect(await ended).toEqual({ code: 4400, reason: 'hello_expected' });
  });

  it('C-1 connections without a ticket keep no student of the same address out', async () => {
    const student = await admitted('192.0.2.3', 60);
    const first = await attack('192.0.2.3');
    for (let index = 1; index < 300; index += 1) await attack('192.0.2.3');
    // The oldest without a ticket made place, without a close frame.
    expect(await first.ended).toBeNull();
    await admitted('192.0.2.3', 61);
    expect(student.socket.destroyed).toBe(false);
    expect((await attack('192.0.2.4')).status).toBe(101);
  });

  it('of IPv6, all addresses of one network count as one', async () => {
    const first = await attack('2001:db8:0:7::1');
    for (let index = 0; index < MAX_PENDING_PER_ADDRESS; index += 1) {
      await attack(`2001:db8:0:7:${index.toString(16)}::2`);
    }
    expect(await first.ended).toBeNull();
    expect((await attack('2001:db8:0:8::1')).status).toBe(101);
  });

  it('connections with a student do not count', async () => {
    const students = Array.from({ length: MAX_PENDING_PER_ADDRESS }, (_, index) => admitted('192.0.2.5', 1000 + index));
    expect(await Promise.all(students)).toHaveLength(MAX_PENDING_PER_ADDRESS);
    expect((await attack('192.0.2.5')).status).toBe(101);
  });
});

describe('frames of the WebSocket itself', () => {
  it.each([
    ['a message of a terabyte is refused by its header', frameHeader(OPCODE.binary, 2 ** 40), 1009],
    ['one over the limit, too', frameHeader(OPCODE.binary, 80 * 1024), 1009],
    [
      'a flood of fragments that never end',
      Buffer.concat([
        clientFrame(OPCODE.binary, 'x', false),
        ...Array.from({ length: 200 }, () => clientFrame(OPCODE.continuation, 'x', false)),
      ]),
      1008,
    ],
    [
      'a frame that is not masked',
      Buffer.concat([frameHeader(OPCODE.text, 2, { masked: false }), Buffer.from('{}')]),
      1002,
    ],
    ['reserved bits', Buffer.concat([Buffer.of(0xf1), clientFrame(OPCODE.text, '{}').subarray(1)]), 1002],
    ['a text that is not UTF-8', clientFrame(OPCODE.text, Uint8Array.of(0xff, 0xfe)), 1007],
    ['an unknown opcode', clientFrame(5, 'x'), 1002],
  ])('%s', async (_name, bytes, code) => {
    const { socket, ended } = await attack('192.0.2.10');
    socket.write(bytes);
    expect((await ended)?.code).toBe(code);
  });
});

describe('students who do not behave', () => {
  it('C-4 a limited number of refused messages is answered, then the connection ends', async () => {
    const { socket, ended } = await admitted('192.0.2.20', 40);
    socket.write(Buffer.concat(Array.from({ length: 51 }, () => clientFrame(OPCODE.text, 'no JSON'))));
    expect(await ended).toEqual({ code: 4400, reason: 'too_many_faults' });
  });

  it('F-9 more messages than any camera makes end the connection', async () => {
    const { socket, ended } = await tracking('192.0.2.21', 41);
    const burst = Array.from({ length: 60 }, (_, seq) =>
      clientFrame(OPCODE.binary, encodeClientMessage({ kind: 'same', seq, captureMs: seq, late: false })),
    );
    socket.write(Buffer.concat(burst));
    expect(await ended).toEqual({ code: 4429, reason: 'rate_exceeded' });
  });

  it.each([
    ['start', { type: 'start', camera: { widthPx: 400, heightPx: 300 }, sectionId: null, mode: 'server', atMs: 0 }],
    ['section', { type: 'section', sectionId: 5, atMs: 0 }],
    ['stop', { type: 'stop', atMs: 0 }],
  ])('C-6 a flood of %s ends the connection', async (_type, message) => {
    const { socket, ended } = await tracking('192.0.2.24', 44);
    socket.write(Buffer.concat(Array(400).fill(clientFrame(OPCODE.text, JSON.stringify(message)))));
    expect(await ended).toEqual({ code: 4429, reason: 'rate_exceeded' });
  });

  it('C-6 a flood of pings ends the connection', async () => {
    const { socket, ended } = await admitted('192.0.2.24', 45);
    // More at once than the library cares to answer end it without a close frame, so these come one after another.
    const timer = setInterval(() => socket.writable && socket.write(clientFrame(OPCODE.ping, '')), 2);
    const closed = await ended;
    clearInterval(timer);
    expect(closed).toEqual({ code: 4429, reason: 'rate_exceeded' });
  });

  it('S-2 one ticket in many tabs is one session: each takes the place of the one before', async () => {
    const tabs = [];
    for (let index = 0; index < 8; index += 1) tabs.push(await admitted('192.0.2.22', 42));
    const ends = await Promise.all(tabs.slice(0, -1).map(({ ended }) => ended));
    expect(ends).toEqual(ends.map(() => ({ code: 4409, reason: 'superseded' })));
    expect(tabs.at(-1)?.socket.destroyed).toBe(false);
  });

  it('connections that are not admitted leave one line in the log, by WebSocket or by POST', async () => {
    const forged = { type: 'hello', protocol: SUBPROTOCOL, ticket: 'forged', resume: null, client: 'x', device: null };
    for (let index = 0; index < 10; index += 1) {
      const peer = await Peer.open(gateway.url);
      peer.sendControl(forged);
      await peer.closed;
      await new PostPeer(gateway.url).post(textPart(forged));
    }
    const lines = log.entries.filter(({ fields }) => fields.code === 'ticket_invalid');
    expect(lines.map(({ message }) => message)).toEqual(['a connection was not admitted']);
  });

  it('an answer to a close that never comes is not waited for', async () => {
    const { socket, ended } = await admitted('192.0.2.23', 43, { answersClose: false });
    socket.write(Buffer.concat(Array.from({ length: 51 }, () => clientFrame(OPCODE.text, 'no JSON'))));
    // It says nothing any more; the gateway ends the connection by itself.
    expect(await ended).toEqual({ code: 4400, reason: 'too_many_faults' });
    expect(socket.readableEnded).toBe(true);
  });
});
