import { loadScript, servePeer } from './page.ts';

interface Results {
  readonly multiFaceLandmarks?: readonly unknown[];
}
interface FaceMesh {
  setOptions(options: Readonly<Record<string, number | boolean>>): void;
  onResults(listener: (results: Results) => void): void;
  initialize(): Promise<void>;
  send(input: { readonly image: HTMLCanvasElement }): Promise<void>;
}

/** MediaPipe's own build of the face mesh, on the CPU. */
servePeer(async () => {
  await loadScript('/face_mesh.js');
  const { FaceMesh: Mesh } = globalThis as unknown as {
    readonly FaceMesh: new (options: { locateFile: (file: string) => string }) => FaceMesh;
  };
  const mesh = new Mesh({ locateFile: (file) => `/${file}` });
  mesh.setOptions({ maxNumFaces: 1, refineLandmarks: true, useCpuInference: true, selfieMode: false });
  let faces = 0;
  mesh.onResults(({ multiFaceLandmarks = [] }) => {
    faces = multiFaceLandmarks.length;
  });
  await mesh.initialize();
  return async (picture) => {
    faces = 0;
    await mesh.send({ image: picture });
    return faces > 0;
  };
});
