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

export const MODEL_NAMES = ['mesh', 'detector'] as const;
export type ModelName = (typeof MODEL_NAMES)[number];

// Apache-2.0, Google LLC: npm @mediapipe/face_mesh@0.4.1657299874.
export const MODEL_CATALOG: Readonly<Record<ModelName, ModelEntry>> = {
  mesh: {
    source: 'face_landmark_with_attention.tflite',
    sourceSha256: '883b7411747bac657c30c462d305d312e9dec6adbf8b85e2f5d8d722fca9455d',
    file: 'face_landmark_with_attention.onnx',
    sha256: '0d5b2a6796a9a3d43ce3a03431ee59e47e89adc6e557ea86e9320a67fa926bcd',
  },
  detector: {
    source: 'face_detection_short_range.tflite',
    sourceSha256: '3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633',
    file: 'face_detection_short_range.onnx',
    sha256: 'b41c30f9905159688df9cb20f3ad6254d0b6837222c07ef1bbfb19cecb633789',
  },
};
