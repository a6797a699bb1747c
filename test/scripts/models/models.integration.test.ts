import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MODEL_CATALOG, MODEL_NAMES } from '../../../inference/models/catalog.ts';
import { defaultModelLocations, loadModels } from '../../../inference/models/store.ts';
import { RelayError } from '../../../shared/errors.ts';

const { sourceDir } = defaultModelLocations();

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

describe('loadModels', () => {
  it('converts what the cache lacks, and finds it there the next time', async () => {
    const first = await loadModels({ cacheDir: folder, sourceDir });
    expect(first.converted).toEqual(MODEL_NAMES);
    expect(first.cacheFault).toBeNull();
    const second = await loadModels({ cacheDir: folder, sourceDir });
    expect(second.converted).toEqual([]);
    for (const name of MODEL_NAMES) expect(sha256(second.files[name])).toBe(sha256(first.files[name]));
  });

  it('gives the same bytes every time: those whose sha256 is pinned', async () => {
    const { files } = await loadModels({ cacheDir: folder, sourceDir });
    for (const name of MODEL_NAMES) expect(sha256(files[name])).toBe(MODEL_CATALOG[name].sha256);
  });

  it('leaves no half-written file, however many start at once', async () => {
    await Promise.all([1, 2, 3].map(() => loadModels({ cacheDir: folder, sourceDir })));
    expect((await readdir(folder)).sort()).toEqual(MODEL_NAMES.map((name) => MODEL_CATALOG[name].file).sort());
  });

  it('needs no source when the cache is good', async () => {
    await loadModels({ cacheDir: folder, sourceDir });
    await expect(loadModels({ cacheDir: folder, sourceDir: null })).resolves.toMatchObject({ converted: [] });
  });

  it('converts a damaged cache file again', async () => {
    await loadModels({ cacheDir: folder, sourceDir });
    const path = join(folder, MODEL_CATALOG.mesh.file);
    const bytes = await readFile(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(path, bytes);
    await expect(loadModels({ cacheDir: folder, sourceDir })).resolves.toMatchObject({ converted: ['mesh'] });
    expect(sha256(await readFile(path))).toBe(MODEL_CATALOG.mesh.sha256);
  });

  it('says model_source_missing when there is neither model nor source', async () => {
    const error = await failure(loadModels({ cacheDir: folder, sourceDir: null }));
    expect(error.code).toBe('model_source_missing');
    expect(error.message).toContain(MODEL_CATALOG.mesh.file);
    expect(error.hint).toContain('npm ci');
    const elsewhere = await failure(loadModels({ cacheDir: folder, sourceDir: join(folder, 'nowhere') }));
    expect(elsewhere.code).toBe('model_source_missing');
  });

  it('says model_corrupt when the cached file is damaged and there is no source', async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, MODEL_CATALOG.mesh.file), 'not a model');
    const error = await failure(loadModels({ cacheDir: folder, sourceDir: null }));
    expect(error.code).toBe('model_corrupt');
    expect(error.hint).toContain('npm ci');
  });

  it('says model_source_changed when the package is another one', async () => {
    if (sourceDir === null) throw new Error('@mediapipe/face_mesh is not installed');
    const copy = join(folder, 'package');
    await cp(sourceDir, copy, { recursive: true, filter: (path) => !path.endsWith('.wasm') });
    const data = join(copy, 'face_mesh_solution_packed_assets.data');
    const bytes = await readFile(data);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    await chmod(data, 0o644);
    await writeFile(data, bytes);
    const error = await failure(loadModels({ cacheDir: join(folder, 'cache'), sourceDir: copy }));
    expect(error.code).toBe('model_source_changed');

    await rm(join(copy, 'face_mesh_solution_packed_assets_loader.js'));
    await writeFile(join(copy, 'face_mesh_solution_packed_assets_loader.js'), 'no index here');
    const other = await failure(loadModels({ cacheDir: join(folder, 'cache'), sourceDir: copy }));
    expect(other.code).toBe('model_source_changed');
  });

  it('goes on without a cache that cannot be written, and says why', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const { files, converted, cacheFault } = await loadModels({ cacheDir: join(file, 'models'), sourceDir });
    expect(converted).toEqual(MODEL_NAMES);
    expect(sha256(files.mesh)).toBe(MODEL_CATALOG.mesh.sha256);
    expect(cacheFault).toMatch(/ENOTDIR/);
  });

  it('gives models of plain ONNX operators with the outputs the engine reads', async () => {
    const { files } = await loadModels({ cacheDir: folder, sourceDir });
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
