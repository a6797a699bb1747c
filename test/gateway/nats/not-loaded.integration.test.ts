import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

describe('a gateway without NATS_URL', () => {
  it('reads nothing of NATS at its start: only what is imported when it is needed has any', async () => {
    const { metafile } = await build({
      absWorkingDir: ROOT,
      entryPoints: ['gateway/main.ts'],
      bundle: true,
      splitting: true,
      write: false,
      metafile: true,
      outdir: 'out',
      platform: 'node',
      format: 'esm',
      external: ['libsql'],
      logLevel: 'silent',
    });
    const outputs = new Map(Object.entries(metafile.outputs));
    const atStart = new Set(['out/main.js']);
    for (const name of atStart) {
      for (const { path, kind } of outputs.get(name)?.imports ?? []) {
        if (kind === 'import-statement' && outputs.has(path)) atStart.add(path);
      }
    }
    const ofNats = (name: string) =>
      Object.keys(outputs.get(name)?.inputs ?? {}).some((input) => input.includes('node_modules/@nats-io/'));
    expect([...atStart].filter(ofNats)).toEqual([]);
    expect([...outputs.keys()].some(ofNats)).toBe(true);
  });
});
