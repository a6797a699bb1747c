import { PostPeer, postBody, textPart } from '../../harness/post-peer.ts';
import { encodePost, NO_TOKEN, POST_EXTRA_BYTES, type PostPart } from '../../shared/protocol/post.ts';
import { SUBPROTOCOL } from '../../shared/protocol/version.ts';
import { type Attack, hold, studentTicket } from './context.ts';

/** Statuses of what is refused, and 200 of a connection whose answer says that it has ended. */
const REFUSED: readonly number[] = [200, 400, 404, 409, 413, 415];
const USER_ID = 8;

const garbage: Attack = {
  name: 'POSTs to the stream with bodies that no client sends',
  async run({ url, below, times }) {
    const count = times(2000, 150);
    const statuses = new Map<number, number>();
    for (let index = 0; index < count; index += 1) {
      const bytes = Uint8Array.from({ length: below(400) }, () => below(256));
      const kinds = ['text', 'binary', 'close'] as const;
      const parts: PostPart[] = [{ kind: kinds[below(3)] ?? 'text', bytes }];
      const bodies = [
        () => bytes,
        () => encodePost({ token: NO_TOKEN, number: 0, parts }),
        () => encodePost({ token: bytes.slice(0, 16), number: below(65_536), parts }),
        () => encodePost({ token: NO_TOKEN, number: below(3), parts }).slice(0, below(60)),
        () => new Uint8Array(2 ** 20 + POST_EXTRA_BYTES),
      ];
      const body = bodies[index % 50 === 0 ? 4 : below(4)]?.() ?? bytes;
      // A body that is far too long is cut off: its sender may not get to read why.
      const status = await postBody(url, body).then(
        (response) => response.status,
        () => 413,
      );
      hold(REFUSED.includes(status), `a body of ${bytes.length} bytes is answered ${status}`);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    return [...statuses].map(([status, number]) => `${number} × ${status}`).join(', ');
  },
};

const replays: Attack = {
  name: 'POSTs of a student sent again, out of order and with tokens of others',
  async run({ url, secret, below, times }) {
    const peer = new PostPeer(url);
    await peer.hello(studentTicket(secret, USER_ID));
    const ticket = studentTicket(secret, USER_ID);
    const hello = { type: 'hello', protocol: SUBPROTOCOL, ticket, resume: null, client: 'attack', device: null };
    const count = times(60, 6);
    for (let index = 0; index < count; index += 1) {
      const body = peer.body([textPart({ type: 'section', sectionId: index + 1, atMs: 0 })]);
      const answers = await Promise.all([postBody(url, body), postBody(url, body), postBody(url, body)]);
      hold(
        answers.every(({ status }) => status === 200),
        'a repeated POST is refused',
      );
      peer.number += 1;
      const off = 2 + below(60_000);
      const { status } = await postBody(url, peer.body([textPart(hello)], (peer.number + off) & 0xffff));
      hold(status === 409, `a number that is ${off} ahead is answered ${status}`);
      const other = new PostPeer(url);
      other.token = Uint8Array.from({ length: 16 }, () => below(256));
      hold((await postBody(url, other.body([]))).status === 404, 'a guessed token has a connection');
    }
    return `${count} POSTs, three times each; no number taken twice, no token guessed`;
  },
};

const floods: Attack = {
  name: 'many connections by POST without a ticket, and one with too many POSTs',
  async run({ url, secret, times }) {
    const count = times(2000, 300);
    for (let index = 0; index < count; index += 50) {
      await Promise.all(Array.from({ length: 50 }, () => new PostPeer(url).post()));
    }
    const peer = new PostPeer(url);
    await peer.hello(studentTicket(secret, USER_ID));
    let posts = 0;
    let closed: number | null = null;
    for (; closed === null && posts < 2000; posts += 1) ({ closed } = await peer.post());
    hold(closed === 4429, `${posts} POSTs one after another are taken`);
    return `${count} connections of one address; the student who floods is closed after ${posts} POSTs`;
  },
};

export const POST_ATTACKS: readonly Attack[] = [garbage, replays, floods];
