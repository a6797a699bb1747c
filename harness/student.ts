import { WebSocket } from 'ws';
import { RelayConnection } from '../client/connection/connection.ts';
import type { WebSocketLike } from '../client/connection/socket.ts';
import { RelayError } from '../shared/errors.ts';
import type { Update } from '../shared/protocol/update.ts';
import { STREAM_PATH } from '../shared/protocol/version.ts';
import type { Clip } from './clip-player.ts';

const CAPTURE_FPS = 5;
/** Upper bound that pages set by default; the pacer's formats are below it. */
const MOST_QUALITY = 0.7;
/** Crop that the pacer's sizes are meant for. */
const CROP_PX = 192;
/** A gateway that restarts when the clip ends is waited for. */
const SAVED_WITHIN_MS = 30_000;

export interface StudentResult {
  readonly sessionId: string;
  readonly userId: number;
  readonly framesSent: number;
  readonly observations: number;
  readonly uplinkBytes: number;
  readonly downlinkBytes: number;
  readonly latenciesMs: readonly number[];
}

/** What is shown while a student is at it. */
export interface StudentProgress {
  readonly atMs: number;
  readonly update: Update | null;
  readonly uplinkBytes: number;
  readonly latencyMs: number | null;
}

/** A development ticket for a user. Rejects with RelayError `ticket_unavailable`. */
export async function fetchTicket(gatewayUrl: string, userId: number): Promise<string> {
  const response = await fetch(new URL(`/dev/ticket?userId=${userId}&moduleId=1`, gatewayUrl));
  if (!response.ok)
    throw new RelayError('ticket_unavailable', `the gateway answered ${response.status} to /dev/ticket`);
  const { ticket } = (await response.json()) as { ticket: string };
  return ticket;
}

/** Plays the clip once, in real time, through the client's own connection: grey crops, in the formats that its pacer chooses. */
export function playStudent(
  gatewayUrl: string,
  clip: Clip,
  userId: number,
  onProgress: (progress: StudentProgress) => void,
): Promise<StudentResult> {
  const latenciesMs: number[] = [];
  let observations = 0;
  let newest: Update | null = null;
  let timer: NodeJS.Timeout | null = null;
  return new Promise((resolve, reject) => {
    const connection = new RelayConnection({
      url: new URL(STREAM_PATH, gatewayUrl).toString().replace('http', 'ws'),
      createSocket: (url, subprotocol) => new WebSocket(url, subprotocol) as unknown as WebSocketLike,
      getTicket: () => fetchTicket(gatewayUrl, userId),
      now: () => performance.now(),
      random: Math.random,
      setTimer: (callback, delayMs) => setTimeout(callback, delayMs),
      clearTimer: (handle) => clearTimeout(handle as NodeJS.Timeout),
      client: 'gaze-relay demo',
      stopWithinMs: SAVED_WITHIN_MS,
      onWelcome: (welcome) => {
        if (welcome.resumed) return;
        connection.start({ camera: clip.size, sectionId: null, mode: 'server' });
        timer = setInterval(() => void capture(), 1000 / CAPTURE_FPS);
        void capture();
      },
      onUpdate: (update, latencyMs) => {
        newest = update;
        if (update.outcome === 'processed') observations += 1;
        if (latencyMs !== null) latenciesMs.push(latencyMs);
      },
      onFault: (fault) => {
        if (fault.fatal && !fault.retry) reject(new RelayError(fault.code, fault.message));
      },
      onEnded: (reason) => {
        if (reason !== 'closed') reject(new RelayError('demo_ended', `the connection ended: ${reason}`));
      },
    });
    const capture = async () => {
      const atMs = connection.captureClockMs();
      if (atMs === null) return;
      const { latencyMs, bytesUp } = connection.stats();
      onProgress({ atMs: Math.min(atMs, clip.lengthMs), update: newest, uplinkBytes: bytesUp, latencyMs });
      if (atMs >= clip.lengthMs) {
        await finish();
        return;
      }
      const { guidance } = connection;
      if (!connection.canSend() || guidance === null) return;
      const format = { ...connection.pacer.format(MOST_QUALITY), grey: true };
      const sizePx = (guidance.imageSizePx * format.sizePx) / CROP_PX;
      const picture = await clip.picture(atMs, guidance.nextCrop, Math.round(sizePx), format);
      connection.sendFrame({ ...picture, codec: format.codec, captureMs: atMs });
    };
    const finish = async () => {
      if (timer === null) return;
      clearInterval(timer);
      timer = null;
      const stopped = await connection.stop();
      const stats = connection.stats();
      connection.close();
      if (stopped === null) {
        reject(new RelayError('demo_unsaved', 'the gateway did not confirm that the session is saved'));
        return;
      }
      resolve({
        sessionId: stopped.sessionId,
        userId,
        framesSent: stats.framesSent,
        observations,
        uplinkBytes: stats.bytesUp,
        downlinkBytes: stats.bytesDown,
        latenciesMs,
      });
    };
    connection.pacer.bound({ webp: true });
    connection.connect();
  });
}
