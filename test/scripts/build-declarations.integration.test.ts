import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleDeclarations } from '../../scripts/build-declarations.ts';

const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
const MODULE = 'https://relay.example/js/gaze-relay.mjs';

let folder: string;
let declarations: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gaze-relay-page-'));
  declarations = await bundleDeclarations();
  await writeFile(join(folder, 'gaze-relay.d.mts'), declarations);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the compiler says of a page in a project that has nothing but the types and the page (docs/client.md). */
async function compile(name: string, page: string): Promise<string> {
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module: 'esnext',
    target: 'es2022',
    lib: ['es2022', 'dom'],
    types: [],
    paths: { [MODULE]: ['./gaze-relay.d.mts'] },
  };
  await writeFile(join(folder, `${name}.mts`), page);
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [`${name}.mts`] }));
  return promisify(execFile)(process.execPath, [TSC, '-p', folder], { cwd: folder }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
}

describe('types for pages in TypeScript, made from the sources', () => {
  it('are one file without imports', () => {
    expect(declarations).not.toMatch(/^import|from ['"]|\bzod\b/m);
  });

  it('let a page use the class, its options and what it reports', async () => {
    const page = `
      import { WebcamWebSocket, type CameraErrorKind, type TrackingUpdate } from '${MODULE}';
      const updates: TrackingUpdate[] = [];
      const kind: CameraErrorKind = 'in_use';
      const tracker = new WebcamWebSocket({
        mode: 'device',
        getTicket: async () => 'ticket',
        onTrackingUpdate: (update) => updates.push(update),
        onError: ({ type, code }) => console.warn(type === 'CAMERA_ERROR' && code === kind),
        onModeChange: ({ mode, loaded }) => console.log(mode === 'server', loaded ?? 0),
      });
      const started: boolean = await tracker.initialize(7, 22, 82);
      const { outcome, yawErrorDeg } = await tracker.calibrate();
      const age: number | undefined = tracker.calibration?.ageMs;
      const saved: boolean | undefined = (await tracker.finish())?.saved;
      console.log(started, outcome === 'calibrated', yawErrorDeg, age, saved, tracker.stats()?.bytesUp);
      export {};
    `;
    expect(await compile('good', page)).toBe('');
  });

  it('refuse what the class does not have, and names that are not exported', async () => {
    const page = `
      import { DIRECTIONS, WebcamWebSocket } from '${MODULE}';
      const tracker = new WebcamWebSocket({ mode: 'cloud' });
      tracker.rewind();
      console.log(DIRECTIONS);
    `;
    const errors = await compile('bad', page);
    expect(errors).toContain(`'"cloud"' is not assignable`);
    expect(errors).toContain(`'rewind' does not exist`);
    expect(errors).toContain(`DIRECTIONS`);
  });
});
