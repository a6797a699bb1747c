import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RelayError } from '../../../shared/errors.ts';
import { adminEdits, type Edit, gatewayTag, lessonEdits, type OldScript, trackerTags } from './edits.ts';

/** Which of the platform's versions a folder holds, by the script that its lesson page loads. */
const LINEAGES: Readonly<Record<OldScript, string>> = {
  'webcam-websocket.js': 'A (WebcamWebSocket)',
  'cv-eye-tracking.js': 'B or D (CVEyeTrackingSystem)',
  'cv-eye-tracking-client.js': 'C (CVEyeTrackingSystem, client)',
};
const LESSON_PAGE = 'user/Smodulepart.php';
const ADMIN_PAGE = 'admin/Adashboard.php';
/** The pages that students see, without the copies that lie beside them ("Smodule_BCK.php", "Smodulepart copy.php"). */
const STUDENT_PAGE = /^S[a-z]+\.php$/;

export interface PlannedFile {
  /** Below the platform's folder, with slashes. */
  readonly path: string;
  readonly source: string;
  readonly edits: readonly Edit[];
}

export interface Plan {
  readonly lineage: string;
  /** Files to change; those that have what they need already are left out. */
  readonly files: readonly PlannedFile[];
  /** What a person should know: places that were left alone. */
  readonly notes: readonly string[];
}

async function read(folder: string, path: string): Promise<string | null> {
  try {
    return await readFile(join(folder, path), 'latin1');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new RelayError('platform_unreadable', `${path} cannot be read`, { hint: 'check its rights', cause });
  }
}

function unknownPlatform(folder: string, found: string, gateway: string | null): RelayError {
  return new RelayError('platform_unknown', `${folder} is no version of EyeLearn that is known: ${found}`, {
    hint: [
      'nothing was changed. By hand: copy relay_common.php, relay_ticket.php and relay_reports.php beside the lesson page,',
      'and put this line in place of the tag that loads its tracker:',
      `  ${gatewayTag('webcam-websocket.js', gateway ?? 'https://GATEWAY')}`,
      'docs/eyelearn.md has the places of each version',
    ].join('\n'),
  });
}

/**
 * Examines the platform's folder and says what an installation would change there.
 * Rejects with RelayError `platform_unknown` where the folder is not recognised, with the lines to change by hand.
 */
export async function planInstallation(folder: string, gateway: string | null): Promise<Plan> {
  const lesson = await read(folder, LESSON_PAGE);
  if (lesson === null) throw unknownPlatform(folder, `there is no ${LESSON_PAGE}`, gateway);
  const [tag] = trackerTags(lesson);
  if (tag === undefined) throw unknownPlatform(folder, `${LESSON_PAGE} loads none of the known trackers`, gateway);

  const names = (await readdir(join(folder, 'user'))).filter((name) => STUDENT_PAGE.test(name)).sort();
  const files: PlannedFile[] = [];
  for (const name of names) {
    const path = `user/${name}`;
    const source = (await read(folder, path)) ?? '';
    const edits = lessonEdits(source, gateway);
    if (edits.length > 0) files.push({ path, source, edits });
  }
  const notes: string[] = [];
  const admin = await read(folder, ADMIN_PAGE);
  if (admin === null) notes.push(`there is no ${ADMIN_PAGE}: link user/relay_reports.php where admins find it`);
  else {
    const edits = adminEdits(admin);
    if (edits.length > 0) files.push({ path: ADMIN_PAGE, source: admin, edits });
    else if (!admin.includes('relay_reports.php')) {
      notes.push(`${ADMIN_PAGE} has no </body>: link ../user/relay_reports.php there by hand`);
    }
  }
  return { lineage: LINEAGES[tag.script], files, notes };
}
