import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { InferencePool } from '../../gateway/relay/inference-pool.ts';
import type { LaunchedChromium } from '../../harness/chromium.ts';
import { SILENT } from '../../harness/gateway.ts';
import { servePage } from '../../harness/lesson.ts';
import { drive, newProbedPage, type TestPage } from './probe-page.ts';

/** The seed's camera frame, and the middle of the 30–50 ms that its server takes for one. */
const FRAME = { widthPx: 640, heightPx: 480 };
const SERVICE_MS = 40;
const BUDGET_MS = 10_000;

export interface SeedService {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * A service that does as the seed does: data URLs come in over Socket.IO, each picture is decoded and
 * analysed, one after the other, and answered with the seed's metrics. Our inference analyses them;
 * an answer goes out no sooner than the seed's would. It carries the picture's own timestamp beside
 * the seed's fields, so that the page can tell which picture it belongs to.
 */
export async function startSeedService(inferencePort: number): Promise<SeedService> {
  const pool = new InferencePool({ urls: [`http://127.0.0.1:${inferencePort}`], logger: SILENT });
  pool.open();
  const http = await servePage(
    '<!doctype html><title>The seed</title><script src="/socket.io/socket.io.min.js"></script>',
  );
  // A data URL of a busy frame is well below this; python-socketio's own limit is the same.
  const io = new Server(http, { cors: { origin: '*' }, maxHttpBufferSize: 1_000_000 });
  io.on('connection', (socket) => {
    let focusedMs = 0;
    let frames = 0;
    let before: Promise<unknown> = Promise.resolve();
    const look = async ({ frame, timestamp }: { frame: string; timestamp: number }): Promise<void> => {
      const image = Buffer.from(frame.split(',')[1] ?? '', 'base64');
      const done = new Promise((resolve) => setTimeout(resolve, SERVICE_MS));
      const crop = { xPx: 0, yPx: 0, ...FRAME };
      const answer = await pool.request({ budgetMs: BUDGET_MS, frame: FRAME, crop, roi: null, image });
      await done;
      if (answer.status !== 'ok') return;
      const direction = answer.observation.face?.seedDirection ?? 'no_face';
      frames += 1;
      if (direction === 'centered') focusedMs += 1000 / 15;
      const totalS = frames / 15;
      socket.emit('tracking_update', {
        is_focused: direction === 'centered',
        gaze_direction: direction,
        metrics: {
          focused_time: Math.round(focusedMs / 100) / 10,
          unfocused_time: Math.round((totalS - focusedMs / 1000) * 10) / 10,
          total_time: Math.round(totalS * 10) / 10,
          focus_percentage: Math.round(focusedMs / totalS / 10),
          focus_sessions: 1,
          unfocus_sessions: 0,
          current_state: direction === 'centered' ? 'focused' : 'unfocused',
        },
        timestamp: new Date().toISOString(),
        frame_timestamp: timestamp,
      });
    };
    socket.on('video_frame', (message) => {
      before = before.then(() => look(message)).catch(() => undefined);
    });
  });
  return {
    port: (http.address() as AddressInfo).port,
    close: async () => {
      await io.close();
      pool.release();
    },
  };
}

/** Runs in the page: the seed's client, as its documentation has it. */
function beginAsSeed(serverUrl: string): void {
  interface SeedUpdate {
    frame_timestamp: number;
  }
  interface SeedSocket {
    on(event: 'connect', listener: () => void): void;
    on(event: 'tracking_update', listener: (update: SeedUpdate) => void): void;
    emit(event: string, data: object): void;
  }
  const { io } = window as unknown as { io: (url: string, options: object) => SeedSocket };
  const answers: object[] = [];
  const probe = { answers, startedAtMs: 0, mode: 'seed' };
  const beginTracking = async () => {
    probe.startedAtMs = performance.now();
    const video = document.createElement('video');
    const size = { width: { ideal: 640 }, height: { ideal: 480 } };
    video.srcObject = await navigator.mediaDevices.getUserMedia({
      video: { ...size, frameRate: { ideal: 15 } },
      audio: false,
    });
    video.muted = true;
    await video.play();
    const canvas = document.createElement('canvas');
    canvas.width = 640;
    canvas.height = 480;
    const context = canvas.getContext('2d');
    const socket = io(serverUrl, { transports: ['websocket', 'polling'], reconnection: true });
    socket.on('connect', () => socket.emit('start_tracking', { user_id: 1, module_id: 1, section_id: 1 }));
    socket.on('tracking_update', (update) => {
      answers.push({
        atMs: performance.now(),
        capturedAtMs: update.frame_timestamp - performance.timeOrigin,
        isObservation: true,
        isLate: false,
        totalMs: null,
      });
    });
    setInterval(() => {
      context?.drawImage(video, 0, 0, 640, 480);
      socket.emit('video_frame', { frame: canvas.toDataURL('image/jpeg', 0.7), timestamp: Date.now() });
    }, 66);
    return true;
  };
  Object.assign(window, { probe, beginTracking });
}

/** A page that tracks the seed's way over `serverUrl`; it comes from the service directly. */
export async function openSeedPage(
  browser: LaunchedChromium,
  service: SeedService,
  serverUrl: string,
): Promise<TestPage> {
  const page = await newProbedPage(browser);
  await page.goto(`http://127.0.0.1:${service.port}/`);
  await page.evaluate(beginAsSeed, serverUrl);
  return drive(page);
}
