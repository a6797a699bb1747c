import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MODEL_CATALOG, MODEL_NAMES, SERVED_MODELS } from '../../../inference/models/catalog.ts';
import { sha256 } from '../../../inference/models/files.ts';
import { defaultModelFolder, loadModels } from '../../../inference/models/store.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gaze-relay-models-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('loadModels', () => {
  it('gives the models that the build made, each with the sha256 that is pinned', async () => {
    const files = await loadModels();
    for (const name of MODEL_NAMES) expect(sha256(files[name])).toBe(MODEL_CATALOG[name].sha256);
  });

  it('says model_missing and names the build', async () => {
    const loading = loadModels(folder, SERVED_MODELS);
    await expect(loading).rejects.toMatchObject({
      code: 'model_missing',
      hint: expect.stringContaining('npm run build'),
    });
  });

  it('says model_corrupt when a model is not the one that is pinned', async () => {
    await cp(defaultModelFolder(), folder, { recursive: true });
    await writeFile(join(folder, MODEL_CATALOG.detector.file), 'not a model');
    const loading = loadModels(folder, SERVED_MODELS);
    await expect(loading).rejects.toMatchObject({
      code: 'model_corrupt',
      hint: expect.stringContaining('npm run build'),
    });
  });
});
