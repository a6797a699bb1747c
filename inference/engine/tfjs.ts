import type * as Tf from '@tensorflow/tfjs-core';
import type * as Landmarks from '@tensorflow-models/face-landmarks-detection';
import { describeError, RelayError } from '../../shared/errors.ts';
import type { FaceRoi, RectPx } from '../../shared/geometry.ts';
import type { DetectedFace } from '../../shared/vision/detector.ts';
import { eyesInPixels } from '../../shared/vision/eye-pixels.ts';
import type { PixelImage } from '../../shared/vision/image.ts';
import { createSearch, DETECTOR_FORMAT, MESH_FORMAT } from '../../shared/vision/locate.ts';
import { MESH_SIZE } from '../../shared/vision/mesh-output.ts';
import { landmarksToTensor, roiOfCrop } from '../../shared/vision/roi.ts';
import type { TfjsFiles } from '../models/tfjs-store.ts';
import { projectRequire } from '../packages.ts';
import type { FaceEngine } from './engine.ts';
import { loadTensorflow } from './tfjs-backend.ts';

/** Centre and size over the image's width and height. */
interface NormalizedRect {
  readonly xCenter: number;
  readonly yCenter: number;
  readonly width: number;
  readonly height: number;
  readonly rotation: number;
}

interface PointOfFace {
  readonly x: number;
  readonly y: number;
  readonly z?: number;
}

interface Detection {
  readonly score: readonly number[];
  readonly locationData: {
    readonly relativeBoundingBox: {
      readonly xMin: number;
      readonly yMin: number;
      readonly width: number;
      readonly height: number;
    };
    readonly relativeKeypoints: readonly PointOfFace[];
  };
}

/**
 * The detector of @tensorflow-models/face-landmarks-detection 1.0.6, its two steps included. Its
 * public method keeps the last face's region from call to call; a request here brings its own.
 */
interface PackageDetector {
  maxFaces: number;
  readonly detector: {
    maxFaces: number;
    detectFaces(image: Tf.Tensor3D, flipHorizontal: boolean): Promise<readonly Detection[]>;
  };
  readonly landmarkModel: { execute(input: Tf.Tensor, outputs: string[]): Tf.Tensor[] };
  faceLandmark(roi: NormalizedRect, image: Tf.Tensor3D): Promise<readonly PointOfFace[] | null>;
  dispose(): void;
}

const MAX_FACES = 8;
const OUTPUT_FLAG = 'output_faceflag';

/** A graph from memory. */
export function ioHandler(graph: Uint8Array, weights: Uint8Array): Tf.io.IOHandler {
  return {
    load: async () => {
      const model = JSON.parse(new TextDecoder().decode(graph)) as Tf.io.ModelJSON;
      return {
        modelTopology: model.modelTopology,
        signature: model.signature ?? {},
        weightSpecs: model.weightsManifest.flatMap((group) => group.weights),
        weightData: Uint8Array.from(weights).buffer,
      };
    },
  };
}

/** Camera pixels of the full frame to parts of the image, and back. */
function rectOf(roi: FaceRoi, crop: RectPx): NormalizedRect {
  return {
    xCenter: (roi.centerXPx - crop.xPx) / crop.widthPx,
    yCenter: (roi.centerYPx - crop.yPx) / crop.heightPx,
    width: roi.sizePx / crop.widthPx,
    height: roi.sizePx / crop.heightPx,
    rotation: roi.rotationRad,
  };
}

function landmarksOf(points: readonly PointOfFace[], crop: RectPx): Float32Array {
  const landmarks = new Float32Array(points.length * 3);
  points.forEach(({ x, y, z = 0 }, index) => {
    landmarks[index * 3] = crop.xPx + x * crop.widthPx;
    landmarks[index * 3 + 1] = crop.yPx + y * crop.heightPx;
    landmarks[index * 3 + 2] = z * crop.widthPx;
  });
  return landmarks;
}

function faceOf({ score, locationData }: Detection, crop: RectPx): DetectedFace {
  const { relativeBoundingBox: box, relativeKeypoints } = locationData;
  const place = (point: PointOfFace | undefined) => ({
    xPx: crop.xPx + (point?.x ?? 0) * crop.widthPx,
    yPx: crop.yPx + (point?.y ?? 0) * crop.heightPx,
  });
  const { xPx, yPx } = place({ x: box.xMin, y: box.yMin });
  return {
    score: score[0] ?? 0,
    box: { xPx, yPx, widthPx: box.width * crop.widthPx, heightPx: box.height * crop.heightPx },
    imageLeftEye: place(relativeKeypoints[0]),
    imageRightEye: place(relativeKeypoints[1]),
  };
}

function imageTensor(tf: typeof Tf, { data, widthPx, heightPx, channels }: PixelImage): Tf.Tensor3D {
  const rgb = new Float32Array(widthPx * heightPx * 3);
  for (let from = 0, to = 0; to < rgb.length; from += channels, to += 3) {
    rgb[to] = data[from] ?? 0;
    rgb[to + 1] = data[from + 1] ?? 0;
    rgb[to + 2] = data[from + 2] ?? 0;
  }
  return tf.tensor3d(rgb, [heightPx, widthPx, 3]);
}

/**
 * TensorFlow's own pipeline: @tensorflow-models/face-landmarks-detection on tfjs-node where that is
 * installed, else on the wasm backend. Rejects with RelayError `engine_unavailable`.
 */
export async function createTfjsEngine(files: TfjsFiles): Promise<FaceEngine> {
  let tf: typeof Tf;
  let detector: PackageDetector;
  try {
    tf = await loadTensorflow();
    const landmarks = projectRequire()('@tensorflow-models/face-landmarks-detection') as typeof Landmarks;
    detector = (await landmarks.createDetector(landmarks.SupportedModels.MediaPipeFaceMesh, {
      runtime: 'tfjs',
      refineLandmarks: true,
      maxFaces: MAX_FACES,
      detectorModelUrl: ioHandler(files.detectorGraph, files.detectorWeights),
      landmarkModelUrl: ioHandler(files.meshGraph, files.meshWeights),
    })) as unknown as PackageDetector;
  } catch (error) {
    throw new RelayError('engine_unavailable', `TensorFlow.js cannot start: ${describeError(error)}`, {
      hint: 'npm ci, or take INFERENCE_ENGINE=onnx',
      cause: error,
    });
  }

  // The package drops the score of a face once it is over its threshold.
  let score = 0;
  const { landmarkModel } = detector;
  const execute = landmarkModel.execute.bind(landmarkModel);
  landmarkModel.execute = (input, outputs) => {
    const tensors = execute(input, outputs);
    score = tensors[outputs.indexOf(OUTPUT_FLAG)]?.dataSync()[0] ?? 0;
    return tensors;
  };

  const withImage = async <T>(image: PixelImage, work: (tensor: Tf.Tensor3D) => Promise<T>): Promise<T> => {
    const tensor = imageTensor(tf, image);
    try {
      return await work(tensor);
    } finally {
      tensor.dispose();
    }
  };

  return {
    name: 'tfjs',
    fallback: null,
    locate: createSearch({
      look: (picture, roi) =>
        withImage(picture.pixels(), async (image) => {
          const { crop } = picture;
          const points = await detector.faceLandmark(rectOf(roi, crop), image);
          const landmarks = landmarksOf(points ?? [], crop);
          const { planes, quality } = picture.sample(roi, MESH_FORMAT);
          const eyes = eyesInPixels(planes, landmarksToTensor(landmarks, roi, MESH_SIZE));
          return { face: { score, landmarks, eyes }, quality };
        }),
      detect: (picture) =>
        withImage(picture.pixels(), async (image) => {
          const found = await detector.detector.detectFaces(image, false);
          const { quality } = picture.sample(roiOfCrop(picture.crop), DETECTOR_FORMAT);
          return { faces: found.map((detection) => faceOf(detection, picture.crop)), quality };
        }),
    }),
    close: async () => detector.dispose(),
  };
}
