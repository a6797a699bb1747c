import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAccuracy } from '../../../bench/accuracy/main.ts';
import type { Score } from '../../../bench/accuracy/score.ts';
import { emptyRoom } from '../../../harness/clip.ts';
import { splitMjpeg } from '../../../harness/mjpeg.ts';

const clip = fileURLToPath(new URL('../../../harness/clips/cap12.mjpeg', import.meta.url));

describe('npm run accuracy', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gaze-relay-labelled-'));
    const frames = splitMjpeg(await readFile(clip));
    const [first, tenth] = [frames[0] ?? new Uint8Array(), frames[10] ?? new Uint8Array()];
    await mkdir(join(dir, 'sub'));
    await writeFile(join(dir, 'sub', '0.jpg'), first);
    await sharp(tenth).webp().toFile(join(dir, '10.webp'));
    await sharp(tenth).resize(4000).png({ compressionLevel: 1 }).toFile(join(dir, 'large.png'));
    await writeFile(
      join(dir, 'wall.png'),
      await sharp(await emptyRoom())
        .png()
        .toBuffer(),
    );
    await writeFile(join(dir, 'broken.jpg'), first.subarray(0, 200));
    await writeFile(
      join(dir, 'labels.csv'),
      [
        '\uFEFFsubject,focus,expect,path',
        'a,focused,centered,sub/0.jpg',
        'a,1,center|left,10.webp',
        ',,centre,"large.png"',
        'b,false,no_face,wall.png',
        'b,unfocused,left,gone.jpg',
        'b,unfocused,left,broken.jpg',
        'b,,sideways,10.webp',
        '',
      ].join('\r\n'),
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
    const [set] = Object.values(result.dataSets) as {
      ours: Score;
      seed: Score;
      subjects: { subject: string; ours: Score }[];
    }[];
    expect(set?.ours).toMatchObject({
      n: 4,
      facesFound: 3,
      focus: { balancedAccuracy: 1, recallFocused: 1, recallUnfocused: 1 },
      states: { macroRecall: 1, recall: { centered: 1, no_face: 1 } },
      closed: { recall: null, falseAlarm: 0 },
    });
    expect(set?.seed).toMatchObject({ n: 4, facesFound: 3 });
    expect(set?.subjects.map(({ subject, ours }) => [subject, ours.n])).toEqual([
      ['a', 2],
      ['all', 1],
      ['b', 1],
    ]);
    expect(result.skipped.join(' ')).toMatch(/sideways.*gone\.jpg.*broken\.jpg/);
    expect(result.synthetic).toBeNull();
  });

  it('takes the path of the CSV itself', async () => {
    const { out } = await run(['--dir', join(dir, 'labels.csv'), '--json', '--no-synthetic', '--no-bandwidth']);
    const { dataSets } = JSON.parse(out.trimEnd().split('\n').at(-1) ?? '');
    expect(Object.values(dataSets)).toMatchObject([{ ours: { n: 4 } }]);
  });

  it('continues without a folder that has no labels', async () => {
    const { out, status } = await run(['--dir', join(dir, 'nowhere'), '--json', '--no-synthetic', '--no-bandwidth']);
    expect(status).toBe(0);
    expect(JSON.parse(out.trimEnd().split('\n').at(-1) ?? '').skipped.join(' ')).toContain('nowhere');
  });

  it('measures people who look at known dots, from their pictures', async () => {
    const dots = join(dir, 'dots.csv');
    const columns = 'path,person,session,dotXPx,dotYPx,screenWidthPx,screenHeightPx,screenWidthMm,cameraAboveMm';
    const row = (file: string) => `${file},a,1,768,432,1536,864,344,5`;
    await writeFile(dots, [columns, row('sub/0.jpg'), row('10.webp'), row('gone.jpg')].join('\n'));
    const { out } = await run(['--dots', dots, '--images', dir, '--json', '--no-synthetic', '--no-bandwidth']);
    const { dots: result, skipped } = JSON.parse(out.trimEnd().split('\n').at(-1) ?? '');
    expect(result).toMatchObject({
      n: 2,
      onScreen: { default: 1, ownCentre: null, after5: null, before: null },
      asSent: { default: 1 },
      closedAlarms: { whole: 0, asSent: 0 },
      perPerson: [{ person: 'a', n: 2 }],
    });
    expect(skipped.join(' ')).toContain('gone.jpg');
  });

  it('ends with a status for wrong usage alone', async () => {
    expect((await run(['--nonsense'])).status).toBe(2);
  });
});
