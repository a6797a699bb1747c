import { describeError } from '../../../shared/errors.ts';
import type { Reader } from '../../auth/reader.ts';
import type { Logger } from '../../lib/logger.ts';
import type { AuditLine } from '../../privacy/student.ts';

/** A live list is asked for every few seconds: of each student in it one line an hour is written for each reader. */
const LIVE_EVERY_MS = 3_600_000;
/** Any other report that the same reader asks for again and again leaves a line so often. */
const EVERY_MS = 60_000;
/** Readings remembered at most; the oldest are written down again. */
const MAX_READINGS = 100_000;

/** Writes who has read the reports of which students, to the log and to relay_audit. */
export type Audit = (reader: Pick<Reader, 'userId' | 'role'>, path: string, students: readonly number[]) => void;

export interface AuditDependencies {
  readonly logger: Logger;
  /** UTC ms. */
  readonly now: () => number;
  /** Stores who read whose report; rejects with `store_unreachable`. */
  readonly writeAudit: (lines: readonly AuditLine[]) => Promise<void>;
}

/**
 * An audit whose rows are bounded: for each reader, student and kind of report at most one a minute, of live lists one an
 * hour.
 */
export function createAudit(deps: AuditDependencies): Audit {
  /** UTC ms at which it was recorded, by reader, student and path, the oldest first. */
  const writtenAtMs = new Map<string, number>();

  function isDue(reading: string, everyMs: number, atMs: number): boolean {
    const beforeMs = writtenAtMs.get(reading);
    if (beforeMs !== undefined && atMs - beforeMs < everyMs) return false;
    writtenAtMs.delete(reading);
    writtenAtMs.set(reading, atMs);
    const [oldest] = writtenAtMs.keys();
    if (writtenAtMs.size > MAX_READINGS && oldest !== undefined) writtenAtMs.delete(oldest);
    return true;
  }

  return (reader, path, students) => {
    const atMs = deps.now();
    const everyMs = path.endsWith('/live') ? LIVE_EVERY_MS : EVERY_MS;
    const studentIds = [...new Set(students)]
      .filter((studentId) => isDue(`${reader.userId} ${studentId} ${path}`, everyMs, atMs))
      .toSorted((a, b) => a - b);
    if (studentIds.length === 0) return;
    deps.logger.info({ readerId: reader.userId, role: reader.role, studentIds, path }, 'report accessed');
    const actor = { userId: reader.userId, role: reader.role };
    deps
      .writeAudit(
        studentIds.map((subjectUserId) => ({ atMs, actor, action: 'read_report', subjectUserId, detail: path })),
      )
      .catch((error: unknown) =>
        deps.logger.warn(
          { code: 'audit_unwritten', reason: describeError(error) },
          'the line above is in this log alone',
        ),
      );
  };
}
