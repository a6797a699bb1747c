import { InferenceSession, Tensor } from 'onnxruntime-node';
import { createOnnxEngine, openOnnxModels, openWholeOnnxModels } from '../../inference/engine/onnx.ts';
import type { ModelName } from '../../inference/models/catalog.ts';
import type { ModelFiles } from '../../inference/models/store.ts';
import { observe } from '../../inference/observe.ts';
import { guardImage } from '../../inference/pixels/guard.ts';
import { createPictureReader, type PictureFile } from '../../inference/pixels/reader.ts';
import type { FaceRoi } from '../../shared/geometry.ts';
import { decodeDetections } from '../../shared/vision/detector.ts';
import { DETECTOR_FORMAT, MESH_FORMAT } from '../../shared/vision/locate.ts';
import { MESH_SIZE, refineLandmarks, sigmoid } from '../../shared/vision/mesh-output.ts';
import { observationOf } from '../../shared/vision/observe.ts';
import { landmarksToFrame, roiOfCrop } from '../../shared/vision/roi.ts';
import { CASES, type Case, type Requests } from './frames.ts';
import type { Peer } from './peers.ts';
import { cpuMs, median } from './stats.ts';

/** Inputs of the mesh that take turns: all of them would not fit into the cache that a request's own input comes from. */
const MESH_INPUTS = 4;
/** A sample is shorter than the clock of CPU time can tell. */
const SAMPLE_TURNS = 10;

/** Over the rounds; ms. */
export interface Cost {
  readonly ms: number;
  readonly bestMs: number;
}

/**
 * CPU time per frame of whole requests (`crop224`, …), of every stage (`crop224.mesh`, …), of the model
 * whole (`mesh whole`) and of peers (`peer.NAME`), ms; medians over rounds that take turns. `onRound` is called as each round begins.
 */
export async function measureFrames(
  files: ModelFiles<ModelName>,
  requests: Requests,
  peers: readonly Peer[],
  rounds: number,
  onRound: (round: number) => void,
): Promise<ReadonlyMap<string, Cost>> {
  const engine = await createOnnxEngine(files);
  const read = createPictureReader();
  const vision = { engine, read };
  const models = await openOnnxModels({ InferenceSession, Tensor }, files);
  const whole = await openWholeOnnxModels({ InferenceSession, Tensor }, files);
  const samples = new Map<string, number[]>();
  const put = (key: string, ms: number): void => {
    samples.set(key, [...(samples.get(key) ?? []), ms]);
  };
  const note = async (key: string, count: number, work: () => Promise<unknown>): Promise<void> =>
    put(key, (await cpuMs(work)) / count);

  const detection = async (files: readonly PictureFile[]): Promise<void> => {
    // The reader holds one picture at a time.
    const [file] = files;
    if (file === undefined) return;
    const picture = await read(file, null);
    const region = roiOfCrop(picture.crop);
    await note('full640Detector.sample', files.length, async () => {
      for (const _ of files) picture.sample(region, DETECTOR_FORMAT);
    });
    const { planes } = picture.sample(region, DETECTOR_FORMAT);
    await note('full640Detector.detector', files.length, async () => {
      for (const _ of files) {
        const { boxes, logits } = await models.detect(planes);
        decodeDetections(boxes, logits, region);
      }
    });
  };

  const tracking = async (name: Case, files: readonly PictureFile[]): Promise<void> => {
    const list = requests[name];
    const tensors: Float32Array[] = [];
    const rois: FaceRoi[] = [];
    const tensorOf = (index: number): Float32Array => tensors[index % tensors.length] ?? new Float32Array();
    let sampledMs = 0;
    for (const [index, file] of files.entries()) {
      const roi = list[index]?.roi ?? roiOfCrop(file.crop);
      const picture = await read(file, roi);
      sampledMs += await cpuMs(async () => {
        for (let turn = 0; turn < SAMPLE_TURNS; turn++) picture.sample(roi, MESH_FORMAT);
      });
      if (tensors.length < MESH_INPUTS) tensors.push(Float32Array.from(picture.sample(roi, MESH_FORMAT).planes));
      rois.push(roi);
    }
    put(`${name}.crop`, sampledMs / SAMPLE_TURNS / files.length);
    await note(`${name}.mesh`, files.length, async () => {
      for (const index of files.keys()) await models.mesh(tensorOf(index));
    });
    if (name === 'full640') {
      await note('mesh whole', files.length, async () => {
        for (const index of files.keys()) await whole.mesh(tensorOf(index));
      });
    }
    const output = await models.mesh(tensorOf(0));
    await note(`${name}.pose and gaze`, files.length, async () => {
      rois.forEach((roi, index) => {
        const { mesh, heads, flag } = output;
        const frame = list[index]?.frame;
        if (frame === undefined) return;
        const landmarks = refineLandmarks(mesh, heads);
        landmarksToFrame(landmarks, roi, MESH_SIZE);
        const quality = { brightness: 0, sharpness: 0 };
        observationOf({ face: { score: sigmoid(flag), landmarks }, faceCount: 1, detectorRan: false, quality }, frame);
      });
    });
  };

  const stages = async (name: Case): Promise<void> => {
    const list = requests[name];
    await note(`${name}.guard`, list.length, async () => {
      for (const request of list) guardImage(request.image);
    });
    const files = list.map((request): PictureFile => {
      const verdict = guardImage(request.image);
      if (!verdict.ok) throw new Error(verdict.reason);
      return { ...verdict, bytes: request.image, crop: request.crop };
    });
    await note(`${name}.decode`, list.length, async () => {
      for (const [index, file] of files.entries()) await read(file, list[index]?.roi ?? null);
    });
    if (name === 'full640Detector') await detection(files);
    else await tracking(name, files);
  };

  for (let round = 0; round < rounds; round++) {
    onRound(round + 1);
    for (const name of CASES) {
      await note(name, requests[name].length, async () => {
        for (const request of requests[name]) await observe(vision, request);
      });
      await stages(name);
    }
    for (const peer of peers) put(`peer.${peer.name}`, await peer.msPerFrame());
  }
  await engine.close();
  await models.close();
  await whole.close();
  // The first round pays for compilation.
  return new Map(
    [...samples].map(([key, values]) => [key, { ms: median(values.slice(1)), bestMs: Math.min(...values.slice(1)) }]),
  );
}
