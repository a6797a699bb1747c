import { describeError } from '../../../shared/errors.ts';
import type { Reader } from '../../auth/reader.ts';
import type { Logger } from '../../lib/logger.ts';
import type { AuditLine } from '../../privacy/student.ts';

/** Readers whose last live list is remembered. */
const MAX_READERS = 1000;

/** Writes who has read the reports of which students, to the log and to relay_audit. */
export type Audit = (reader: Reader, path: string, students: readonly number[]) => void;

export interface AuditDependencies {
  readonly logger: Logger;
  /** UTC ms. */
  readonly now: () => number;
  /** Stores who read whose report; rejects with `store_unreachable`. */
  readonly writeAudit: (lines: readonly AuditLine[]) => Promise<void>;
}

/** A live list that a page asks for every few seconds is written down when the students in it change. */
export function createAudit(deps: AuditDependencies): Audit {
  const lastLive = new Map<number, string>();

  function isRepeated(reader: Reader, studentIds: readonly number[]): boolean {
    const now = studentIds.join();
    if (lastLive.get(reader.userId) === now) return true;
    if (lastLive.size >= MAX_READERS) lastLive.clear();
    lastLive.set(reader.userId, now);
    return false;
  }

  return (reader, path, students) => {
    const studentIds = [...new Set(students)].toSorted((a, b) => a - b);
    if (studentIds.length === 0) return;
    if (path.endsWith('/live') && isRepeated(reader, studentIds)) return;
    deps.logger.info({ readerId: reader.userId, role: reader.role, studentIds, path }, 'report accessed');
    const atMs = deps.now();
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
