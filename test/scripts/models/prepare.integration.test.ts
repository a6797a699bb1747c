import { createHash } from 'node:crypto';
import { chmod, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MODEL_CATALOG, MODEL_NAMES } from '../../../inference/models/catalog.ts';
import { defaultModelFolder, loadModels } from '../../../inference/models/store.ts';
import { prepareModels } from '../../../scripts/models/prepare.ts';
import { installedSource } from '../../../scripts/models/source.ts';
import { RelayError } from '../../../shared/errors.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gaze-relay-models-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function failure(promise: Promise<unknown>): Promise<RelayError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof RelayError)) throw new Error(`expected a RelayError, got ${error}`);
  return error;
}

describe('prepareModels', () => {
  it('converts the models that the folder lacks, each to the bytes that are pinned, and none the next time', async () => {
    expect(await prepareModels({ folder })).toEqual(MODEL_NAMES);
    for (const name of MODEL_NAMES) {
      expect(sha256(await readFile(join(folder, MODEL_CATALOG[name].file)))).toBe(MODEL_CATALOG[name].sha256);
    }
    expect(await prepareModels({ folder, sourceDir: null })).toEqual([]);
  });

  it('leaves no half-written file, however many builds run at once', async () => {
    await Promise.all([1, 2, 3].map(() => prepareModels({ folder })));
    expect((await readdir(folder)).sort()).toEqual(MODEL_NAMES.map((name) => MODEL_CATALOG[name].file).sort());
  });

  it('converts a damaged model again', async () => {
    await cp(defaultModelFolder(), folder, { recursive: true });
    const path = join(folder, MODEL_CATALOG.mesh.file);
    const bytes = await readFile(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(path, bytes);
    expect(await prepareModels({ folder })).toEqual(['mesh']);
    expect(sha256(await readFile(path))).toBe(MODEL_CATALOG.mesh.sha256);
  });

  it.each([null, '/nonexistent'])('says model_source_missing when the package is not there: %s', async (sourceDir) => {
    const error = await failure(prepareModels({ folder, sourceDir }));
    expect(error.code).toBe('model_source_missing');
    expect(error.hint).toContain('npm ci');
  });

  it('says model_source_changed when the package is another one', async () => {
    const sourceDir = installedSource();
    if (sourceDir === null) throw new Error('@mediapipe/face_mesh is not installed');
    const copy = join(folder, 'package');
    await cp(sourceDir, copy, { recursive: true, filter: (path) => !path.endsWith('.wasm') });
    const data = join(copy, 'face_mesh_solution_packed_assets.data');
    const bytes = await readFile(data);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    await chmod(data, 0o644);
    await writeFile(data, bytes);
    const options = { folder: join(folder, 'models'), sourceDir: copy };
    expect((await failure(prepareModels(options))).code).toBe('model_source_changed');

    await rm(join(copy, 'face_mesh_solution_packed_assets_loader.js'));
    await writeFile(join(copy, 'face_mesh_solution_packed_assets_loader.js'), 'no index here');
    expect((await failure(prepareModels(options))).code).toBe('model_source_changed');
  });

  it('rejects when the folder cannot be written', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    await expect(prepareModels({ folder: join(file, 'models') })).rejects.toThrow(/ENOTDIR/);
  });

  it('gives models of plain ONNX operators with the outputs the engine reads', async () => {
    const files = await loadModels();
    const mesh = await InferenceSession.create(files.mesh);
    expect(mesh.inputNames).toEqual(['image']);
    expect(mesh.outputNames).toEqual(['mesh', 'heads', 'flag']);
    const detector = await InferenceSession.create(files.detector);
    expect(detector.outputNames).toEqual(['boxes', 'scores']);
    const observed = await InferenceSession.create(files.observedMesh);
    expect(observed.inputNames).toEqual(['image']);
    expect(observed.outputNames).toEqual(['mesh', 'heads', 'flag']);
    for (const session of [mesh, detector, observed]) await session.release();
  });
});
