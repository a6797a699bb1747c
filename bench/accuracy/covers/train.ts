import { readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '../../../harness/random.ts';
import { IMAGE_LEFT_EYE, IMAGE_RIGHT_EYE } from '../../../shared/vision/canonical-face.ts';
import { coverOf, eyeCoverInputs, writeEyeCoverNetwork } from '../../../shared/vision/eye-cover.ts';
import { createPlainPictures } from '../../../shared/vision/image.ts';
import { MESH_FORMAT } from '../../../shared/vision/locate.ts';
import { MESH_SIZE } from '../../../shared/vision/mesh-output.ts';
import { landmarksToTensor } from '../../../shared/vision/roi.ts';
import { type Looker, openLooker, readStill, type Shot } from '../look.ts';
import { resend, type SendingWay } from '../resend.ts';
import { COVERS, drawCover } from './draw.ts';
import { type CoverSample, fitCoverNetwork } from './fit.ts';

/**
 * Fits the network of shared/vision/eye-cover.ts: `tsx bench/accuracy/covers/train.ts --out FILE.ts
 * --open DIR… --covered DIR…`. Pictures of --open show faces with eyes to be seen, over which covers are drawn;
 * those of --covered hide both. The part of a file's name before the first _ or - names its subject;
 * every fourth subject is left out of a first fit and measured.
 */

const WAYS: readonly (SendingWay | null)[] = [
  null,
  { sizePx: 192, quality: 0.4, codec: 'webp', grey: true },
  { sizePx: 128, quality: 0.35, codec: 'webp', grey: true },
];
/** Share of the covers that are drawn on a picture. */
const COVER_SHARE = 0.7;
/** Eyes that the head hides already teach nothing. */
const LEAST_VISIBILITY = 0.4;

interface Row extends CoverSample {
  readonly subject: string;
  readonly kind: string;
  readonly way: number;
}

async function rowsOf(file: string, isCovered: boolean, looker: Looker, random: () => number): Promise<Row[]> {
  const shot = await readStill(file);
  const whole = await looker.still(shot);
  const { face } = whole.observation;
  if (whole.landmarks === null || face === null) return [];
  const subject = basename(file).split(/[_-]/)[0] ?? file;
  const variants: { shot: Shot; kind: string; hides: readonly [boolean, boolean] }[] = [
    { shot, kind: isCovered ? 'covered' : 'open', hides: [isCovered, isCovered] },
  ];
  if (!isCovered) {
    for (const cover of COVERS) {
      if (random() > COVER_SHARE) continue;
      variants.push({ kind: cover, ...(await drawCover(shot, whole.landmarks, cover, random)) });
    }
  }
  const rows: Row[] = [];
  for (const { shot: drawn, kind, hides } of variants) {
    for (const [way, sending] of WAYS.entries()) {
      const sent = sending === null ? drawn : (await resend(drawn, whole.observation, sending))?.shot;
      if (sent === undefined) continue;
      const roi = face.nextRoi;
      const seen = await looker.next(sent, roi);
      if (seen.landmarks === null || seen.observation.detectorRan) continue;
      const { planes } = createPlainPictures()(sent).sample(roi, MESH_FORMAT);
      const landmarks = landmarksToTensor(seen.landmarks, roi, MESH_SIZE);
      for (const [side, eye] of [IMAGE_LEFT_EYE, IMAGE_RIGHT_EYE].entries()) {
        const visibility = side === 0 ? face.imageLeftEye.visibility : face.imageRightEye.visibility;
        if (!isCovered && visibility < LEAST_VISIBILITY) continue;
        rows.push({
          inputs: eyeCoverInputs(planes, landmarks, eye),
          covered: hides[side] ?? false,
          subject,
          kind,
          way,
        });
      }
    }
  }
  return rows;
}

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    open: { type: 'string', multiple: true, default: [] },
    covered: { type: 'string', multiple: true, default: [] },
  },
});
const looker = await openLooker();
const random = seededRandom(11);
const rows: Row[] = [];
for (const [dirs, isCovered] of [
  [values.open, false],
  [values.covered, true],
] as const) {
  for (const dir of dirs) {
    for (const name of (await readdir(dir)).filter((file) => /\.(jpe?g|png|webp)$/i.test(file)).sort()) {
      rows.push(...(await rowsOf(join(dir, name), isCovered, looker, random)));
    }
    process.stderr.write(`${dir}: ${rows.length} eyes so far\n`);
  }
}
await looker.close();

const subjects = [...new Set(rows.map(({ subject }) => subject))].sort();
const heldOut = new Set(subjects.filter((_, i) => i % 4 === 1));
const trial = fitCoverNetwork(rows.filter(({ subject }) => !heldOut.has(subject)));
const tested = rows.filter(({ subject }) => heldOut.has(subject));
for (const kind of [...new Set(tested.map((row) => row.kind))]) {
  for (const covered of [true, false]) {
    const own = tested.filter((row) => row.kind === kind && row.covered === covered);
    if (own.length === 0) continue;
    const said = own.filter(({ inputs }) => coverOf(inputs, trial) > 0.7).length;
    process.stdout.write(`${kind}, ${covered ? 'covered' : 'seen'}: ${said} of ${own.length} called covered\n`);
  }
}
const network = fitCoverNetwork(rows);
const text = `/** Written by bench/accuracy/covers/train.ts from ${rows.length} eyes of ${subjects.length} subjects; see readEyeCoverNetwork. */
export const EYE_COVER_NUMBERS =
  '${writeEyeCoverNetwork(network)}';
`;
if (values.out !== undefined) await writeFile(values.out, text);
