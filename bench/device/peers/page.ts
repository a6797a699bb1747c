import type { DevicePage } from '../page.ts';

/** Finds the face in a picture, following it from the one before; true where there is one. */
export type PeerLook = (picture: HTMLCanvasElement) => Promise<boolean>;

/** Puts the bench's functions for another library into the page. `open` loads it. */
export function servePeer(open: () => Promise<PeerLook>): void {
  const frames: HTMLCanvasElement[] = [];
  let look: PeerLook;
  const page: DevicePage = {
    prepare: async (jpegs) => {
      for (const jpeg of jpegs) {
        const bitmap = await createImageBitmap(await (await fetch(`data:image/jpeg;base64,${jpeg}`)).blob());
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
        canvas.getContext('2d', { willReadFrequently: true })?.drawImage(bitmap, 0, 0);
        frames.push(canvas);
      }
    },
    start: async () => {
      const startedMs = performance.now();
      look = await open();
      const [first] = frames;
      if (first === undefined || !(await look(first))) throw new Error('no face in the first frame');
      return performance.now() - startedMs;
    },
    follow: async () => {
      const lookMs: number[] = [];
      let faces = 0;
      for (const picture of frames) {
        const startedMs = performance.now();
        if (await look(picture)) faces++;
        lookMs.push(performance.now() - startedMs);
      }
      return { lookMs, faces };
    },
  };
  Object.assign(globalThis, { bench: page });
}

/** Loads a classic script of the bench's server. */
export function loadScript(address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = address;
    script.onload = () => resolve();
    script.onerror = () => reject(new Error(`${address} does not load`));
    document.head.append(script);
  });
}
