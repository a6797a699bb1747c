import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAccuracy } from '../../scripts/accuracy/main.ts';
import { splitMjpeg } from '../support/mjpeg.ts';

const clip = fileURLToPath(new URL('../clips/cap12.mjpeg', import.meta.url));

describe('npm run accuracy', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gaze-relay-labelled-'));
    const frames = splitMjpeg(await readFile(clip));
    for (const i of [0, 10]) await writeFile(join(dir, `${i}.jpg`), frames[i] ?? new Uint8Array());
    await sharp({ create: { width: 320, height: 240, channels: 3, background: '#808080' } })
      .png()
      .toFile(join(dir, 'wall.png'));
    await writeFile(
      join(dir, 'labels.csv'),
      'path,expect,focus,subject\n0.jpg,centered,focused,a\n10.jpg,center|left,focused,a\nwall.png,no_face,unfocused,b\ngone.jpg,left,unfocused,b\n',
    );
  });
  afterAll(() => rm(dir, { recursive: true }));

  const run = async (args: readonly string[]) => {
    let out = '';
    const status = await runAccuracy(args, { out: (text) => (out += text), progress: () => {} });
    return { out, status };
  };

  it('measures a labelled folder by both rules and says what it skipped; the last line is JSON', async () => {
    const { out, status } = await run(['--dir', dir, '--json', '--no-synthetic', '--no-bandwidth']);
    expect(status).toBe(0);
    const result = JSON.parse(out.trimEnd().split('\n').at(-1) ?? '');
    const [set] = Object.values(result.dataSets) as { ours: { n: number }; seed: { n: number } }[];
    expect(set?.ours).toMatchObject({ n: 3, facesFound: 2, focus: { balancedAccuracy: 1, recallFocused: 1 } });
    expect(set?.seed).toMatchObject({ n: 3, facesFound: 2 });
    expect(result.skipped.join(' ')).toContain('gone.jpg');
  });

  it('goes on without a folder that has no labels', async () => {
    const { out, status } = await run(['--dir', join(dir, 'nowhere'), '--json', '--no-synthetic', '--no-bandwidth']);
    expect(status).toBe(0);
    expect(JSON.parse(out.trimEnd().split('\n').at(-1) ?? '').skipped.join(' ')).toContain('nowhere');
  });

  it('ends with a status for wrong usage alone', async () => {
    expect((await run(['--nonsense'])).status).toBe(2);
  });
});
