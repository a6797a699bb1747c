import type { FaceModels } from '../../shared/vision/locate.ts';

/** A runtime that could run the models on a student's device: what the bench's page asks of it. */
export interface DeviceRuntime {
  /** Loads everything from `base` (a folder of the bench's server) and makes the models ready. */
  open(base: string): Promise<FaceModels>;
}

/** The bytes of a file of the bench's server. */
export async function bytesAt(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
