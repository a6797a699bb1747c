import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import type * as Landmarks from '@tensorflow-models/face-landmarks-detection';
import type * as Human from '@vladmandic/human';
import sharp from 'sharp';
import { openMediapipe } from '../../harness/mediapipe-page.ts';
import { ioHandler } from '../../inference/engine/tfjs.ts';
import { loadTensorflow } from '../../inference/engine/tfjs-backend.ts';
import { defaultModelFolder } from '../../inference/models/store.ts';
import { loadTfjsModels } from '../../inference/models/tfjs-store.ts';
import type { ObserveRequest } from '../../inference/observe.ts';
import { packageFolder, projectRequire } from '../../inference/packages.ts';
import { describeError } from '../../shared/errors.ts';
import { cpuMs } from './stats.ts';

/** Another implementation of the same job, end to end from pixels to landmarks. */
export interface Peer {
  readonly name: string;
  /** Over a few frames of the clip, tracking; decoding is not counted. */
  msPerFrame(): Promise<number>;
  close(): Promise<void>;
}

/** Peers are slow: a few frames a round are enough. */
const FRAMES_A_ROUND = 4;

interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

type Tensorflow = Awaited<ReturnType<typeof loadTensorflow>>;

/** @tensorflow-models/face-landmarks-detection as its documentation says, on the wasm backend. */
async function openLandmarksDetection(tf: Tensorflow, frames: readonly Pixels[]): Promise<Peer> {
  const files = await loadTfjsModels(defaultModelFolder());
  const landmarks = projectRequire()('@tensorflow-models/face-landmarks-detection') as typeof Landmarks;
  const detector = await landmarks.createDetector(landmarks.SupportedModels.MediaPipeFaceMesh, {
    runtime: 'tfjs',
    refineLandmarks: true,
    maxFaces: 1,
    detectorModelUrl: ioHandler(files.detectorGraph, files.detectorWeights),
    landmarkModelUrl: ioHandler(files.meshGraph, files.meshWeights),
  });
  return {
    name: 'face-landmarks-detection',
    msPerFrame: async () => {
      const ms = await cpuMs(async () => {
        for (const { data, width, height } of frames) {
          const image = tf.tensor3d(data, [height, width, 3], 'int32');
          const faces = await detector.estimateFaces(image);
          image.dispose();
          if (faces.length !== 1) throw new Error('face-landmarks-detection lost the face');
        }
      });
      return ms / frames.length;
    },
    close: async () => detector.dispose(),
  };
}

/** @vladmandic/human with nothing but its face, mesh and iris models, on the wasm backend. */
async function openHuman(tf: Tensorflow, frames: readonly Pixels[]): Promise<Peer> {
  // The package exports neither its package.json nor its build for wasm.
  const folder = join(dirname(projectRequire().resolve('@vladmandic/human')), '..');
  // Its build for wasm takes models over HTTP alone.
  const server = createServer((request, response) => {
    readFile(join(folder, 'models', basename(request.url ?? ''))).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { Human: HumanClass } = projectRequire()(join(folder, 'dist/human.node-wasm.js')) as typeof Human;
  const human = new HumanClass({
    backend: 'wasm',
    wasmPath: `${packageFolder('@tensorflow/tfjs-backend-wasm')}/wasm-out/`,
    modelBasePath: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    debug: false,
    async: false,
    cacheSensitivity: 0,
    filter: { enabled: false },
    face: {
      enabled: true,
      detector: { rotation: true, maxDetected: 1, skipFrames: 99, skipTime: 60_000 },
      mesh: { enabled: true },
      iris: { enabled: true },
      attention: { enabled: false },
      emotion: { enabled: false },
      description: { enabled: false },
      antispoof: { enabled: false },
      liveness: { enabled: false },
    },
    body: { enabled: false },
    hand: { enabled: false },
    object: { enabled: false },
    gesture: { enabled: false },
    segmentation: { enabled: false },
  });
  await human.load();
  return {
    name: 'human',
    msPerFrame: async () => {
      const ms = await cpuMs(async () => {
        for (const { data, width, height } of frames) {
          const image = tf.tensor(data, [1, height, width, 3], 'float32');
          const result = await human.detect(image as unknown as Human.Tensor);
          image.dispose();
          if (result.face.length !== 1) throw new Error('human lost the face');
        }
      });
      return ms / frames.length;
    },
    close: async () => {
      server.close();
    },
  };
}

/** MediaPipe's own build in Chromium, on the CPU; wall time in the page. */
async function openMediapipePeer(frames: readonly Uint8Array[]): Promise<Peer> {
  const page = await openMediapipe();
  await page.prepare(frames);
  return { name: 'mediapipe-chromium', msPerFrame: () => page.msPerFrame(), close: () => page.close() };
}

/** The peers that start on this machine, warmed up, and why the others do not. */
export async function openPeers(requests: readonly ObserveRequest[]): Promise<{ peers: Peer[]; missing: string[] }> {
  const jpegs = requests.slice(0, FRAMES_A_ROUND).map(({ image }) => image);
  const frames = await Promise.all(
    jpegs.map(async (jpeg): Promise<Pixels> => {
      const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
      return { data, width: info.width, height: info.height };
    }),
  );
  const tf = await loadTensorflow();
  const peers: Peer[] = [];
  const missing: string[] = [];
  for (const [name, open] of [
    ['face-landmarks-detection', () => openLandmarksDetection(tf, frames)],
    ['human', () => openHuman(tf, frames)],
    ['mediapipe-chromium', () => openMediapipePeer(jpegs)],
  ] as const) {
    try {
      const peer = await open();
      await peer.msPerFrame();
      peers.push(peer);
    } catch (error) {
      missing.push(`${name}: ${describeError(error)}`);
    }
  }
  return { peers, missing };
}
