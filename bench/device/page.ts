import type { FaceRoi } from '../../shared/geometry.ts';
import type { FrameView, PixelImage } from '../../shared/vision/image.ts';
import { createLocator, type FaceModels, type Locate } from '../../shared/vision/locate.ts';
import { observationOf } from '../../shared/vision/observe.ts';
import type { DeviceRuntime } from './runtime.ts';

/** What the bench calls in its page. */
export interface DevicePage {
  /** Keeps the clip's frames as pixels. */
  prepare(jpegs: readonly string[]): Promise<void>;
  /** From nothing to the first observation, ms. */
  start(base: string): Promise<number>;
  /** Follows the face through the clip's frames: ms for each, and how many had a face. */
  follow(): Promise<{ readonly lookMs: number[]; readonly faces: number }>;
}

/** Puts the bench's functions for a runtime into the page. */
export function serveBench(runtime: DeviceRuntime): void {
  const frames: FrameView[] = [];
  let models: FaceModels;
  let locate: Locate;
  let hint: FaceRoi | null = null;
  const look = async (view: FrameView): Promise<boolean> => {
    const { crop } = view;
    const observation = observationOf(await locate(view, hint), { widthPx: crop.widthPx, heightPx: crop.heightPx });
    hint = observation.face?.nextRoi ?? null;
    return hint !== null;
  };
  const page: DevicePage = {
    prepare: async (jpegs) => {
      for (const jpeg of jpegs) {
        const bitmap = await createImageBitmap(await (await fetch(`data:image/jpeg;base64,${jpeg}`)).blob());
        const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
        const context = canvas.getContext('2d', { willReadFrequently: true });
        if (context === null) throw new Error('no canvas');
        context.drawImage(bitmap, 0, 0);
        const { data, width: widthPx, height: heightPx } = context.getImageData(0, 0, bitmap.width, bitmap.height);
        const image: PixelImage = { data, widthPx, heightPx, channels: 4 };
        frames.push({ image, crop: { xPx: 0, yPx: 0, widthPx, heightPx } });
      }
    },
    start: async (base) => {
      const startedMs = performance.now();
      models = await runtime.open(base);
      locate = createLocator(models);
      if (frames[0] === undefined || !(await look(frames[0]))) throw new Error('no face in the first frame');
      return performance.now() - startedMs;
    },
    follow: async () => {
      const lookMs: number[] = [];
      let faces = 0;
      for (const view of frames) {
        const startedMs = performance.now();
        if (await look(view)) faces++;
        lookMs.push(performance.now() - startedMs);
      }
      return { lookMs, faces };
    },
  };
  Object.assign(globalThis, { bench: page });
}
