import { loadScript, servePeer } from './page.ts';

interface WebGazer {
  readonly params: { faceMeshSolutionPath: string };
  getTracker(): {
    getEyePatches(
      video: HTMLCanvasElement,
      picture: HTMLCanvasElement,
      width: number,
      height: number,
    ): Promise<unknown>;
  };
}

/** webgazer's search for the eyes in a picture. Its regression, which needs clicks of the student, is left out. */
servePeer(async () => {
  await loadScript('/webgazer.js');
  const { webgazer } = globalThis as unknown as { readonly webgazer: WebGazer };
  webgazer.params.faceMeshSolutionPath = '/mediapipe/face_mesh';
  const tracker = webgazer.getTracker();
  return async (picture) => Boolean(await tracker.getEyePatches(picture, picture, picture.width, picture.height));
});
