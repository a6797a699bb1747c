import type * as HumanTypes from '@vladmandic/human';
import { servePeer } from './page.ts';

interface HumanModule {
  readonly Human: typeof HumanTypes.Human;
}

/** @vladmandic/human with nothing but its face, mesh and iris models, on the wasm backend. */
servePeer(async () => {
  const { Human } = (await import(new URL('/human.js', location.href).href)) as HumanModule;
  const human = new Human({
    backend: 'wasm',
    wasmPath: '/',
    modelBasePath: '/',
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
  return async (picture) => (await human.detect(picture)).face.length > 0;
});
