/** A converted model, byte for byte. */
export interface ModelEntry {
  /** File in the model folder. */
  readonly file: string;
  /** Conversion is reproducible (scripts/models/). */
  readonly sha256: string;
}

export const MODEL_NAMES = ['mesh', 'observedMesh', 'detector'] as const;
export type ModelName = (typeof MODEL_NAMES)[number];

/** What requests are served with; the mesh model whole is for comparisons. */
export const SERVED_MODELS = ['observedMesh', 'detector'] as const;
export type ServedModel = (typeof SERVED_MODELS)[number];

export const MODEL_CATALOG: Readonly<Record<ModelName, ModelEntry>> = {
  mesh: {
    file: 'face_landmark_with_attention.onnx',
    sha256: '421fd4a2bdc89e4e095d09dc705947a3c920207c3ddaa0a4eb463c97b6ff963e',
  },
  observedMesh: {
    file: 'face_landmark_observed.onnx',
    sha256: 'f02f2b43bf186e9f0e7ad6c8086f0d49ef00a01a01b736802bca7d9b674c6772',
  },
  detector: {
    file: 'face_detection_short_range.onnx',
    sha256: '2442d201da90179c30d7c884df8cbb4e25a5ef9ebd8eaf7005ca1c80501a03cc',
  },
};
