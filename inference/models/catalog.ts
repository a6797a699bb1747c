/** The models, their origin and what they must be, byte for byte. */
export interface ModelEntry {
  /** File in the packed assets of @mediapipe/face_mesh. */
  readonly source: string;
  readonly sourceSha256: string;
  /** File in the model cache. */
  readonly file: string;
  /** Of the converted model: conversion is reproducible. */
  readonly sha256: string;
}

export const MODEL_NAMES = ['mesh', 'observedMesh', 'detector'] as const;
export type ModelName = (typeof MODEL_NAMES)[number];

/** What requests are served with; the mesh model whole is for comparisons. */
export const SERVED_MODELS = ['observedMesh', 'detector'] as const;
export type ServedModel = (typeof SERVED_MODELS)[number];

// Apache-2.0, Google LLC: npm @mediapipe/face_mesh@0.4.1657299874.
export const MODEL_CATALOG: Readonly<Record<ModelName, ModelEntry>> = {
  mesh: {
    source: 'face_landmark_with_attention.tflite',
    sourceSha256: '883b7411747bac657c30c462d305d312e9dec6adbf8b85e2f5d8d722fca9455d',
    file: 'face_landmark_with_attention.onnx',
    sha256: '421fd4a2bdc89e4e095d09dc705947a3c920207c3ddaa0a4eb463c97b6ff963e',
  },
  observedMesh: {
    source: 'face_landmark_with_attention.tflite',
    sourceSha256: '883b7411747bac657c30c462d305d312e9dec6adbf8b85e2f5d8d722fca9455d',
    file: 'face_landmark_observed.onnx',
    sha256: 'f02f2b43bf186e9f0e7ad6c8086f0d49ef00a01a01b736802bca7d9b674c6772',
  },
  detector: {
    source: 'face_detection_short_range.tflite',
    sourceSha256: '3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633',
    file: 'face_detection_short_range.onnx',
    sha256: '2442d201da90179c30d7c884df8cbb4e25a5ef9ebd8eaf7005ca1c80501a03cc',
  },
};
