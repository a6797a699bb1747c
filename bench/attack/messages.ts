import sharp from 'sharp';
import { CLIP_FRAMES, CLIP_SIZE } from '../../harness/clip.ts';
import { mutate } from '../../harness/mutate.ts';
import { Peer } from '../../harness/peer.ts';
import { encodeClientMessage } from '../../shared/protocol/frames.ts';
import { type Attack, type AttackContext, hold, studentTicket } from './context.ts';

const CLOSED_WITHIN_MS = 20_000;
/** First byte of a WebP file. */
const RIFF_BEGIN = 0x52;
/** User ids of attackers; no other user has them. */
let nextUserId = 900_000;

async function admitted({ url, secret }: AttackContext): Promise<Peer> {
  nextUserId += 1;
  const peer = await Peer.open(url);
  await peer.hello(studentTicket(secret, nextUserId));
  return peer;
}

/** The close code, or null where the connection is still there after CLOSED_WITHIN_MS. */
async function closeOf(peer: Peer): Promise<number | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), CLOSED_WITHIN_MS);
  });
  const code = await Promise.race([peer.closed, late]);
  clearTimeout(timer);
  peer.socket.terminate();
  return code;
}

const START = { type: 'start', camera: CLIP_SIZE, sectionId: null, mode: 'device', atMs: 0 };

function floodOf(name: string, textOf: (index: number) => object): Attack {
  return {
    name,
    async run(context) {
      const count = context.times(60_000, 5000);
      const peer = await admitted(context);
      peer.sendControl(START);
      for (let index = 0; index < count && peer.socket.readyState === peer.socket.OPEN; index += 1) {
        peer.sendControl(textOf(index));
        if (index % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      const code = await closeOf(peer);
      hold(code !== null && code >= 4000, `a flood of ${count} texts did not end the connection (${code})`);
      return `up to ${count} texts, closed with ${code}`;
    },
  };
}

const fuzzedMessages: Attack = {
  name: 'mutated protocol messages',
  async run(context) {
    const { below } = context;
    const count = context.times(20_000, 1500);
    const image = CLIP_FRAMES[0] ?? new Uint8Array();
    const whole = { xPx: 0, yPx: 0, ...CLIP_SIZE };
    const common = { seq: 1, captureMs: 100, late: false };
    const seeds = [
      encodeClientMessage({ kind: 'frame', ...common, codec: 'jpeg', crop: whole, fullFrame: true, image }),
      encodeClientMessage({ kind: 'same', ...common }),
      Buffer.from(JSON.stringify(START)),
      Buffer.from(JSON.stringify({ type: 'section', sectionId: 7, atMs: 5 })),
    ];
    const seedOf = () => seeds[below(seeds.length)] as Uint8Array;
    let peer = await admitted(context);
    let connections = 1;
    for (let sent = 0; sent < count; sent += 1) {
      if (peer.socket.readyState !== peer.socket.OPEN) {
        peer = await admitted(context);
        peer.sendControl({ ...START, mode: 'server' });
        connections += 1;
      }
      peer.socket.send(mutate(seedOf(), seedOf(), below), { binary: below(4) > 0 });
      if (sent % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    peer.socket.terminate();
    return `${count} messages over ${connections} connections`;
  },
};

const pictures: Attack = {
  name: 'mutated pictures to inference',
  async run(context) {
    const { below } = context;
    const count = context.times(1000, 40);
    const frameOf = () => CLIP_FRAMES[below(CLIP_FRAMES.length)] as Uint8Array;
    const webps = await Promise.all(
      [frameOf(), frameOf()].map((frame) => sharp(frame).webp({ quality: 40 }).toBuffer()),
    );
    const pictures = [...webps, frameOf(), frameOf()];
    const pictureOf = () => pictures[below(pictures.length)] as Uint8Array;
    const crop = { xPx: 0, yPx: 0, ...CLIP_SIZE };
    let peer = await admitted(context);
    await peer.start(0, CLIP_SIZE, 'server');
    const outcomes = new Map<string, number>();
    let seq = 0;
    for (let sent = 0; sent < count; sent += 1) {
      seq += 1;
      // Several KB are too many for a picture of this gateway: what is too large is refused by another rule.
      const image = mutate(pictureOf(), pictureOf(), below).slice(0, 60_000);
      const codec = image[0] === RIFF_BEGIN ? 'webp' : 'jpeg';
      peer.send({ kind: 'frame', seq, captureMs: seq * 250, late: false, codec, crop, fullFrame: true, image });
      const outcome = await peer.update(seq).then(
        (update) => update.outcome,
        () => 'closed' as const,
      );
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (outcome === 'closed') {
        peer = await admitted(context);
        await peer.start(0, CLIP_SIZE, 'server');
        seq = 0;
      } else await new Promise((resolve) => setTimeout(resolve, 120));
    }
    peer.socket.terminate();
    return `${count} pictures: ${[...outcomes].map(([outcome, times]) => `${times} ${outcome}`).join(', ')}`;
  },
};

export const MESSAGE_ATTACKS: readonly Attack[] = [
  floodOf('a flood of starts', (index) => ({ ...START, atMs: index })),
  floodOf('sections with moments far ahead', (index) => ({
    type: 'section',
    sectionId: index + 1,
    atMs: 1e12 + index,
  })),
  floodOf('sections to and fro', (index) => ({ type: 'section', sectionId: 1 + (index % 2), atMs: index })),
  fuzzedMessages,
  pictures,
];
