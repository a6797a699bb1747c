import { createHmac, randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { mintReaderToken } from '../../gateway/auth/reader.ts';
import { Peer } from '../../harness/peer.ts';
import { LINK_PATH, LINK_SUBPROTOCOL } from '../../shared/link.ts';
import { SUBPROTOCOL } from '../../shared/protocol/version.ts';
import { type Attack, hold, studentTicket } from './context.ts';

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

function signed(
  secret: string,
  claims: object,
  header: object = { alg: 'HS256', typ: 'JWT' },
  hash = 'sha256',
): string {
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`;
}

/** Tickets that must not open anything, by what is wrong with them. */
function forgedTickets(secret: string): Readonly<Record<string, string>> {
  const nowS = Math.floor(Date.now() / 1000);
  const good = { sub: '7', mid: 3, role: 'student', aud: 'edge-relay', iat: nowS, exp: nowS + 300, jti: randomUUID() };
  const { exp: _exp, ...endless } = good;
  const { aud: _aud, ...forAnyone } = good;
  const with_ = (claims: object) => signed(secret, { ...good, jti: randomUUID(), ...claims });
  const [head = '', body = ''] = studentTicket(secret, 7).split('.');
  return {
    'no signature': `${part({ alg: 'none' })}.${part(good)}.`,
    'an empty signature': `${head}.${body}.`,
    'another secret': signed('another secret that is long enough', good),
    'an empty secret': signed('', good),
    HS512: signed(secret, good, { alg: 'HS512', typ: 'JWT' }, 'sha512'),
    'no expiry': signed(secret, endless),
    'no audience': signed(secret, forAnyone),
    'another audience': with_({ aud: 'somewhere-else' }),
    expired: with_({ exp: nowS - 3600 }),
    'ten years ahead': with_({ exp: nowS + 315_360_000 }),
    'not yet': with_({ nbf: nowS + 3600 }),
    'sub true': with_({ sub: true }),
    'sub 1.5': with_({ sub: 1.5 }),
    'sub 0': with_({ sub: '0' }),
    'mid 0x7': with_({ mid: '0x7' }),
    'mid too large': with_({ mid: 2 ** 40 }),
    'an unknown role': with_({ role: 'root' }),
    'classes that are no list': with_({ classes: { all: true } }),
    'a reader token': mintReaderToken({ userId: 7, role: 'admin' }, secret, Date.now(), randomUUID()).token,
    'no ticket': 'x',
  };
}

const tickets: Attack = {
  name: 'forged tickets, for the stream and for the API',
  async run({ url, secret }) {
    const forged = Object.entries(forgedTickets(secret));
    for (const [what, ticket] of forged) {
      const peer = await Peer.open(url);
      peer.sendControl({ type: 'hello', protocol: SUBPROTOCOL, ticket, resume: null, client: 'attack', device: null });
      await peer.closed;
      hold(!peer.controls.some(({ type }) => type === 'welcome'), `a ticket with ${what} was let in`);
      if (what === 'a reader token') continue;
      const response = await fetch(new URL('/api/v1/me', url), { headers: { authorization: `Bearer ${ticket}` } });
      hold(response.status === 401, `a ticket with ${what} reads reports (${response.status})`);
    }
    return `${forged.length} tickets, none let in`;
  },
};

const api: Attack = {
  name: 'the API without a ticket, and requests that make no sense',
  async run({ url, below, times }) {
    const document = (await (await fetch(new URL('/api/v1/openapi.json', url))).json()) as {
      paths: Record<string, Record<string, unknown>>;
    };
    let asked = 0;
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const method of Object.keys(methods)) {
        const { status } = await fetch(new URL(path.replace(/\{\w+\}/g, '7'), url), { method: method.toUpperCase() });
        hold(status === 401, `${method} ${path} answers ${status} without a ticket`);
        asked += 1;
      }
    }
    const pieces = [
      '..',
      '%2e%2e',
      '%00',
      '//',
      '\\',
      'api',
      'v1',
      'js',
      'device',
      '{userId}',
      '%',
      '?',
      'etc',
      'passwd',
      'data',
    ];
    for (let index = 0; index < times(2000, 200); index += 1) {
      const path = Array.from({ length: 1 + below(6) }, () => pieces[below(pieces.length)]).join('/');
      const { status } = await fetch(`${url}${path}`, { method: ['GET', 'POST', 'PUT', 'DELETE'][below(4)] ?? 'GET' });
      hold(status < 500, `${path} answers ${status}`);
      asked += 1;
    }
    return `${asked} requests, none answered with 5xx or a student's data`;
  },
};

const link: Attack = {
  name: "the inference link from a page's origin, and by neighbours that flood it",
  async run({ inferenceUrl, times }) {
    const address = new URL(LINK_PATH, inferenceUrl).href.replace('http', 'ws');
    const opened = (headers: Record<string, string>) =>
      new Promise<WebSocket | null>((resolve) => {
        const socket = new WebSocket(address, LINK_SUBPROTOCOL, { headers });
        socket.once('open', () => resolve(socket)).once('error', () => resolve(null));
      });
    hold((await opened({ origin: 'https://elsewhere.example' })) === null, 'a web page got a link');
    const links = await Promise.all(Array.from({ length: times(100, 30) }, () => opened({})));
    const got = links.filter((one) => one !== null);
    hold(got.length < links.length, `one address got all of ${links.length} links`);
    for (const socket of got) {
      for (let index = 0; index < times(2000, 200); index += 1) socket.send(Buffer.alloc(200, index % 256));
      socket.terminate();
    }
    return `${links.length} links asked for, ${got.length} given`;
  },
};

export const REQUEST_ATTACKS: readonly Attack[] = [tickets, api, link];
