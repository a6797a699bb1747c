import { parseArgs } from 'node:util';
import { describeError, RelayError } from '../../shared/errors.ts';

export interface AccuracyOptions {
  /** Folders with a labels.csv. */
  readonly dirs: readonly string[];
  /** A rigged head; null: none is rendered. */
  readonly head: string | null;
  /** Folder of the MakeHuman base mesh and shapes, for unlike heads; null: none are rendered. */
  readonly heads: string | null;
  /** Frames of people who look at known dots: landmarks (.jsonl), or a CSV file of dots. Null for none. */
  readonly dots: string | null;
  /** Folder of the pictures that a CSV file of dots names. */
  readonly images: string | null;
  /** Print one JSON object on the last line, and write no file. */
  readonly json: boolean;
  readonly synthetic: boolean;
  readonly bandwidth: boolean;
  readonly help: boolean;
}

export const USAGE = `npm run accuracy -- [options]

  --dir DIR        also measure on DIR/labels.csv (or on a CSV file of another name); may be repeated.
                   Columns, in any order: path (relative to the CSV; JPEG, PNG, WebP, any size),
                   expect (centered, looking_left, eyes_closed, ... or short: center, left, closed;
                   image sides, alternatives separated by |, the first names the state),
                   focus (focused/unfocused, 1/0, true/false; empty: from expect), subject.
                   The CMU faces' own labels.csv is understood too.
  --dots FILE      people who look at known dots, frames in the order in which they were taken: FILE.jsonl
                   with landmarks alone, or a CSV file with --images FOLDER. Its columns: path (in the
                   folder), person, session, dotXPx, dotYPx (from the page's upper left), screenWidthPx,
                   screenHeightPx (of the page), screenWidthMm, cameraAboveMm (camera to the page's upper edge).
  --head FILE      rigged head to render (glTF with nodes Head, LeftEye, RightEye). The first run draws
                   1,226 frames, which takes minutes; they are kept in .cache/accuracy.
  --heads DIR      MakeHuman's base mesh and shapes (3dobjs, eyes, targets): 24 unlike heads are made of it
                   and rendered, 1,512 frames, which are kept too.
  --no-synthetic   leave the rendered head out
  --no-bandwidth   leave the re-encoded face crops out, and gaze from pictures as they are sent
  --json           print one JSON object on the last line and write no report
  --help
`;

/** Options from the command line. Throws RelayError `usage`. */
export function parseOptions(args: readonly string[]): AccuracyOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        dir: { type: 'string', multiple: true, default: [] },
        head: { type: 'string' },
        heads: { type: 'string' },
        dots: { type: 'string' },
        images: { type: 'string' },
        json: { type: 'boolean', default: false },
        'no-synthetic': { type: 'boolean', default: false },
        'no-bandwidth': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    return {
      dirs: values.dir,
      head: values.head ?? null,
      heads: values.heads ?? null,
      dots: values.dots ?? null,
      images: values.images ?? null,
      json: values.json,
      synthetic: !values['no-synthetic'],
      bandwidth: !values['no-bandwidth'],
      help: values.help,
    };
  } catch (error) {
    throw new RelayError('usage', describeError(error), { hint: 'npm run accuracy -- --help', cause: error });
  }
}
