import { describeError } from '../../../shared/errors.ts';
import type { Reader } from '../../auth/reader.ts';
import type { Logger } from '../../lib/logger.ts';
import type { AuditLine } from '../../privacy/student.ts';

/** A live list is asked for every few seconds: of each student in it one line an hour is written for each reader. */
const LIVE_EVERY_MS = 3_600_000;
/** Pairs of reader and student remembered at most; the oldest are written down again. */
const MAX_PAIRS = 100_000;

/** Writes who has read the reports of which students, to the log and to relay_audit. */
export type Audit = (reader: Pick<Reader, 'userId' | 'role'>, path: string, students: readonly number[]) => void;

export interface AuditDependencies {
  readonly logger: Logger;
  /** UTC ms. */
  readonly now: () => number;
  /** Stores who read whose report; rejects with `store_unreachable`. */
  readonly writeAudit: (lines: readonly AuditLine[]) => Promise<void>;
}

/** An audit whose rows are bounded: at most one for each student in an answer, of live lists one an hour. */
export function createAudit(deps: AuditDependencies): Audit {
  /** UTC ms at which it was recorded that a reader saw a student in a live list, the oldest first. */
  const liveAtMs = new Map<string, number>();

  function isDue(reader: Pick<Reader, 'userId'>, studentId: number, atMs: number): boolean {
    const pair = `${reader.userId} ${studentId}`;
    const writtenAtMs = liveAtMs.get(pair);
    if (writtenAtMs !== undefined && atMs - writtenAtMs < LIVE_EVERY_MS) return false;
    liveAtMs.delete(pair);
    liveAtMs.set(pair, atMs);
    const [oldest] = liveAtMs.keys();
    if (liveAtMs.size > MAX_PAIRS && oldest !== undefined) liveAtMs.delete(oldest);
    return true;
  }

  return (reader, path, students) => {
    const atMs = deps.now();
    const isLive = path.endsWith('/live');
    const studentIds = [...new Set(students)]
      .filter((studentId) => !isLive || isDue(reader, studentId, atMs))
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
