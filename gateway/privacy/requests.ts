import { RelayError } from '../../shared/errors.ts';
import type { CalibrationKeeper } from '../delivery/calibrations.ts';
import type { Spool } from '../delivery/queue.ts';
import type { Sessions } from '../session/sessions.ts';
import type { MetricsStore } from '../store/port.ts';
import { type Actor, deleteStudent, exportStudent, type StudentExport, writeAudit } from './student.ts';

const FLUSH_MS = 5000;

/** A student's data on demand, for a gateway that may be serving the student. */
export interface PrivacyRequests {
  /** All that is stored of a student, after the line in the audit log. Rejects with `store_unreachable`. */
  exportStudent(userId: number, actor: Actor): Promise<StudentExport>;
  /**
   * Deletes it and resolves with the number of rows by table, or with `connected`, and nothing deleted, while the student is.
   * Rejects with `store_unreachable`, also when windows of the student still wait for the database.
   */
  deleteStudent(userId: number, actor: Actor): Promise<Readonly<Record<string, number>> | 'connected'>;
}

export function privacyRequests(use: {
  readonly store: Pick<MetricsStore, 'execute' | 'kind'>;
  readonly spool: Pick<Spool, 'forgetStudent'>;
  readonly calibrations: Pick<CalibrationKeeper, 'forgetStudent'>;
  readonly sessions: Pick<Sessions, 'forgetStudent'>;
  /** Resolves when no window is on its way to the spool. */
  readonly allSaved: () => Promise<unknown>;
  readonly now: () => number;
}): PrivacyRequests {
  const { store, spool, calibrations, sessions, allSaved, now } = use;
  return {
    async exportStudent(userId, actor) {
      const line = { atMs: now(), actor, action: 'export_student', subjectUserId: userId, detail: 'api' };
      await writeAudit(store, [line]);
      return exportStudent(store, userId, Math.round(now()));
    },
    async deleteStudent(userId, actor) {
      if (!sessions.forgetStudent(userId)) return 'connected';
      await allSaved();
      await calibrations.forgetStudent(userId);
      const waiting = await spool.forgetStudent(userId, FLUSH_MS);
      if (waiting > 0) {
        throw new RelayError('store_unreachable', `${waiting} windows of the student still wait for the database`);
      }
      return deleteStudent(store, userId, now(), actor);
    },
  };
}
