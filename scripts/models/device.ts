import { sha256 } from '../../inference/models/files.ts';
import { RelayError } from '../../shared/errors.ts';
import { joinFiles } from '../../shared/vision/device-models.ts';
import { detectorToNetwork, meshToNetwork } from './mesh-network.ts';
import { readSource } from './source.ts';

/** Of the file that students' devices load: conversion is reproducible. */
export const DEVICE_MODELS_SHA256 = '93115a7d387ad86ecc4157dd0ffba67831f0d95126781b3b6b0cf3885b50a16b';

/**
 * The two models for students' devices, mesh and detector joined, from the same source as the server's. Rejects with
 * RelayError `model_source_missing`, `model_source_changed` or `model_result_changed`.
 */
export async function deviceModels(): Promise<Uint8Array> {
  const [mesh, detector] = await Promise.all([readSource('mesh'), readSource('detector')]);
  const bytes = joinFiles([meshToNetwork(mesh), detectorToNetwork(detector)]);
  if (sha256(bytes) === DEVICE_MODELS_SHA256) return bytes;
  throw new RelayError('model_result_changed', 'the conversion for devices gave other bytes than were checked', {
    hint: 'a change of the converter must bring the new sha256 into scripts/models/device.ts, after the agreement test',
  });
}
