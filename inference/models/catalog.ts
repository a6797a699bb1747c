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

export const MODEL_NAMES = ['mesh', 'trunk', 'eyes', 'detector'] as const;
export type ModelName = (typeof MODEL_NAMES)[number];

/** What requests are served with; the mesh model whole is for comparisons. */
export const SERVED_MODELS = ['trunk', 'eyes', 'detector'] as const;
export type ServedModel = (typeof SERVED_MODELS)[number];

// Apache-2.0, Google LLC: npm @mediapipe/face_mesh@0.4.1657299874.
export const MODEL_CATALOG: Readonly<Record<ModelName, ModelEntry>> = {
  mesh: {
    source: 'face_landmark_with_attention.tflite',
    sourceSha256: '883b7411747bac657c30c462d305d312e9dec6adbf8b85e2f5d8d722fca9455d',
    file: 'face_landmark_with_attention.onnx',
    sha256: 'ab9e5f03532ba05b144a381cab812aef0ca8c05dd54d43cc918d1403d4010f2b',
  },
  trunk: {
    source: 'face_landmark_with_attention.tflite',
    sourceSha256: '883b7411747bac657c30c462d305d312e9dec6adbf8b85e2f5d8d722fca9455d',
    file: 'face_landmark_trunk.onnx',
    sha256: 'faae7f62c49afea2a44baec0c8630883e4bd6c5032ea04b38f373dc59a8c238a',
  },
  eyes: {
    source: 'face_landmark_with_attention.tflite',
    sourceSha256: '883b7411747bac657c30c462d305d312e9dec6adbf8b85e2f5d8d722fca9455d',
    file: 'face_landmark_eyes.onnx',
    sha256: 'a9e354bceb179d0f01f91b532895e807284312810e9c47ca330364df8427bbfc',
  },
  detector: {
    source: 'face_detection_short_range.tflite',
    sourceSha256: '3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633',
    file: 'face_detection_short_range.onnx',
    sha256: '2442d201da90179c30d7c884df8cbb4e25a5ef9ebd8eaf7005ca1c80501a03cc',
  },
};
