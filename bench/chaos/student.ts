import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { within } from '../../gateway/lib/timeout.ts';
import { CLIP_SIZE } from '../../harness/clip.ts';
import { faceAtScreen, NO_FACE } from '../../harness/observations.ts';
import { fetchTicket } from '../../harness/student.ts';
import type { Mode } from '../../shared/direction.ts';
import { RelayError } from '../../shared/errors.ts';
import { MAX_COVER_MS } from '../../shared/focus/tracker.ts';
import type { FaceObservation } from '../../shared/observation.ts';
import { parseServerControl } from '../../shared/protocol/control.ts';
import { type ClientMessage, encodeClientMessage } from '../../shared/protocol/frames.ts';
import { decodeUpdate } from '../../shared/protocol/update.ts';
import { STREAM_PATH, SUBPROTOCOL } from '../../shared/protocol/version.ts';
import type { Pictures } from './pictures.ts';

const EVERY_MS: Readonly<Record<Mode, number>> = { device: 125, server: 200 };
/** A student without an answer for this long stays still: what happens in a gap cannot be known. */
const KEEPS_STILL_MS = 600;
const PATIENCE_MS = 3000;
/** After an outage a student lets more time pass than one observation may cover, so that the gap is untracked for certain. */
const GAP_MS = 2200;
const RETRY_MS = 150;
/** How long all students may take to begin, and how long they look undisturbed then. */
const BEGIN_LIMIT_MS = 60_000;
const BEGUN_MS = 3000;
/** Far from the numbers of real messages, which begin at 0 with each connection. */
const PROBE_SEQ = 0xffff;

/** What a student did, by the student's own reckoning. */
export interface StudentTruth {
  readonly userId: number;
  readonly mode: Mode;
  readonly moduleId: number;
  readonly sessionIds: readonly string[];
  /** Time between observations that the gateway acknowledged one after the other, whole ms. */
  readonly focusedMs: number;
  readonly unfocusedMs: number;
  readonly reconnects: number;
  /** Reconnects that resumed the session. */
  readonly resumes: number;
  /** Frames that the gateway acknowledged without an observation, because no inference could be reached. */
  readonly unserved: number;
  /** Time that the gateway may have counted without the student's knowledge: its answers were lost with the connection. */
  readonly unheardMs: number;
  /** Times that the gateway which had the student was killed or stood still. */
  readonly kills: number;
  /** From each kill to the next update, ms. */
  readonly backMs: readonly number[];
}

export interface ChaosStudent {
  /** Resolves when the first observation was counted. */
  readonly begun: Promise<void>;
  /** Opens the lesson in a second tab, which takes over from the first. */
  openSecondTab(): void;
  /** The gateway `name` (header x-gateway of the proxy before it) is killed now, or stands still for a while. */
  gatewayGone(name: string, how: 'killed' | 'frozen'): void;
  /** Ends the session on purpose; resolves with the truth once the gateway says that it is saved. */
  finish(): Promise<StudentTruth>;
}

/** The same look with the little movement of a live camera's picture: one that never changes is a frozen camera. */
function moved(observation: FaceObservation, seq: number): FaceObservation {
  const { face } = observation;
  if (face === null) return { ...observation, brightness: 0.5 + 0.01 * (seq % 5) };
  return { ...observation, face: { ...face, headYawDeg: face.headYawDeg + 0.4 * (seq % 5) } };
}

function messageOf(pictures: Pictures | null, seq: number, captureMs: number, isFocused: boolean): ClientMessage {
  const common = { seq, captureMs, late: false };
  if (pictures === null)
    return { kind: 'observation', ...common, observation: moved(isFocused ? faceAtScreen() : NO_FACE, seq) };
  const shown = isFocused ? pictures.atScreen : pictures.absent;
  const image = shown[seq % shown.length] as Uint8Array;
  return { kind: 'frame', ...common, codec: 'jpeg', crop: { xPx: 0, yPx: 0, ...CLIP_SIZE }, fullFrame: true, image };
}

/**
 * A student who is at the screen and away by turns of `turnMs`, over as many connections as it takes, and keeps count of
 * what was acknowledged. With `pictures` in server mode: real frames, of which inference has to find out what they show;
 * without in device mode: observations that leave no doubt.
 */
export function startStudent(options: {
  gatewayUrl: string;
  userId: number;
  moduleId: number;
  turnMs: number;
  pictures: Pictures | null;
  /** A fresh ticket. Default: the development gateway's. */
  getTicket?: () => Promise<string>;
}): ChaosStudent {
  const { gatewayUrl, userId, moduleId, turnMs, pictures } = options;
  const { getTicket = () => fetchTicket(gatewayUrl, userId) } = options;
  const mode: Mode = pictures === null ? 'device' : 'server';
  const url = new URL(STREAM_PATH, gatewayUrl).toString().replace('http', 'ws');
  const sessionIds: string[] = [];
  let focusedMs = 0;
  let unfocusedMs = 0;
  let reconnects = -1;
  let resumes = 0;
  let unserved = 0;
  let kills = 0;
  let unheardMs = 0;
  const backMs: number[] = [];
  /** When the gateway that had the student was killed; null once there was an update again. */
  let killedAtMs: number | null = null;
  let gateway: string | null = null;
  let newest: WebSocket | null = null;
  let isFocused = true;
  let resume: string | null = null;
  let zeroMs: number | null = null;
  let lastSentMs = 0;
  let isFinishing = false;
  let finished: (truth: StudentTruth) => void = () => {};
  let counted: () => void = () => {};
  const begun = new Promise<void>((resolve) => {
    counted = resolve;
  });
  const truth = () => ({
    userId,
    mode,
    moduleId,
    sessionIds,
    focusedMs,
    unfocusedMs,
    reconnects: Math.max(0, reconnects),
    resumes,
    unserved,
    kills,
    unheardMs,
    backMs,
  });
  const clockMs = () => (zeroMs === null ? 0 : Math.round(performance.now() - zeroMs));

  async function connect(): Promise<void> {
    let ticket: string;
    try {
      ticket = await getTicket();
    } catch {
      setTimeout(() => void connect(), RETRY_MS);
      return;
    }
    const socket = new WebSocket(url, SUBPROTOCOL);
    newest = socket;
    let served: string | null = null;
    socket.on('upgrade', ({ headers }) => {
      served = typeof headers['x-gateway'] === 'string' ? headers['x-gateway'] : null;
    });
    const waiting = new Map<number, { captureMs: number; isFocused: boolean }>();
    /** Capture time of the newest acknowledged observation of this connection. */
    let ackedMs: number | null = null;
    let seq = 0;
    let timer: NodeJS.Timeout | null = null;
    let saysStop = false;
    let isFresh = false;
    let heardMs = performance.now();
    const watch = setInterval(() => {
      if (performance.now() - heardMs > PATIENCE_MS + 3000) socket.terminate();
    }, 500);

    const observe = () => {
      const captureMs = clockMs();
      if (isFinishing) {
        if (saysStop || waiting.size > 0) return;
        saysStop = true;
        socket.send(JSON.stringify({ type: 'stop', atMs: ackedMs ?? captureMs }));
        return;
      }
      if (waiting.size >= 2 || captureMs <= lastSentMs) return;
      if (ackedMs === null || captureMs - ackedMs < KEEPS_STILL_MS) {
        isFocused = Math.floor(captureMs / turnMs + userId / 3) % 2 === 0;
      }
      lastSentMs = captureMs;
      waiting.set(seq, { captureMs, isFocused });
      socket.send(encodeClientMessage(messageOf(pictures, seq, captureMs, isFocused)));
      seq = (seq + 1) & 0xffff;
    };

    socket.on('open', () => {
      socket.send(JSON.stringify({ type: 'hello', protocol: SUBPROTOCOL, ticket, resume, client: 'gaze-relay chaos' }));
    });
    socket.on('message', (data, isBinary) => {
      heardMs = performance.now();
      if (isBinary) {
        const update = decodeUpdate(data as Buffer);
        if (killedAtMs !== null && socket === newest) {
          backMs.push(performance.now() - killedAtMs);
          killedAtMs = null;
        }
        const sent = waiting.get(update.seq);
        waiting.delete(update.seq);
        if (sent === undefined) return;
        if (update.outcome === 'unserved') unserved += 1;
        if (update.outcome !== 'processed') return;
        counted();
        const coveredMs = ackedMs === null ? 0 : sent.captureMs - ackedMs;
        if (coveredMs <= MAX_COVER_MS) {
          if (sent.isFocused) focusedMs += coveredMs;
          else unfocusedMs += coveredMs;
        }
        ackedMs = sent.captureMs;
        return;
      }
      const message = parseServerControl(String(data));
      switch (message.type) {
        case 'welcome':
          resume = message.resume;
          reconnects += 1;
          gateway = served;
          isFresh = !message.resumed;
          if (!isFresh) resumes += 1;
          if (isFresh) {
            sessionIds.push(message.sessionId);
            zeroMs = null;
            lastSentMs = 0;
          }
          // The gateway's clock continues in outages too.
          zeroMs ??= performance.now() - message.clockMs;
          socket.send(
            JSON.stringify({
              type: 'start',
              sectionId: null,
              camera: CLIP_SIZE,
              mode,
              atMs: Math.max(message.clockMs, clockMs()),
            }),
          );
          break;
        case 'started':
          lastSentMs = Math.max(lastSentMs, message.atMs);
          // Counts for nothing, for its moment has passed, and shows that the gateway answers.
          if (!isFresh) socket.send(encodeClientMessage({ kind: 'same', seq: PROBE_SEQ, captureMs: 0, late: false }));
          // A session's first observation covers the time since its start.
          if (isFresh) ackedMs = message.atMs;
          setTimeout(
            () => {
              if (socket.readyState === socket.OPEN) timer = setInterval(observe, EVERY_MS[mode]);
            },
            reconnects > 0 ? GAP_MS : 0,
          );
          break;
        case 'stopped':
          if (!message.saved) break;
          finished(truth());
          socket.close();
          isDone = true;
          break;
        default:
          break;
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(watch);
      if (timer !== null) clearInterval(timer);
      const newestMs = Math.max(...[...waiting.values()].map(({ captureMs }) => captureMs));
      if (ackedMs !== null && newestMs > ackedMs) unheardMs += Math.min(MAX_COVER_MS, newestMs - ackedMs);
      // A tab that another one took over from stays as it is.
      if (!isDone && socket === newest) setTimeout(() => void connect(), RETRY_MS * (1 + Math.random()));
    });
  }

  let isDone = false;
  void connect();
  return {
    begun,
    openSecondTab: () => {
      if (!isFinishing && resume !== null) void connect();
    },
    gatewayGone: (name, how) => {
      if (name !== gateway || killedAtMs !== null) return;
      kills += 1;
      if (how === 'killed') killedAtMs = performance.now();
    },
    finish: () =>
      new Promise((resolve) => {
        finished = resolve;
        isFinishing = true;
      }),
  };
}

/**
 * Resolves when the time of every student is counted, and a first window of each is on its way: before that there is nothing
 * to resume. Rejects with RelayError `chaos_unsettled` if that takes too long.
 */
export async function allBegun(students: readonly ChaosStudent[]): Promise<void> {
  const isBegun = await within(
    Promise.all(students.map(({ begun }) => begun)).then(() => true),
    BEGIN_LIMIT_MS,
    false,
  );
  if (!isBegun) throw new RelayError('chaos_unsettled', 'not every student could begin');
  await delay(BEGUN_MS);
}
