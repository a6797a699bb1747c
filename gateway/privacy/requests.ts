import { RelayError } from '../../shared/errors.ts';
import type { CalibrationQueue } from '../delivery/calibrations.ts';
import type { FolderRecords } from '../delivery/folder-records.ts';
import type { DeliveryQueue } from '../delivery/queue.ts';
import type { Sessions } from '../session/sessions.ts';
import type { MetricsStore } from '../store/port.ts';
import type { PlatformRecords } from './platform-records.ts';
import { addCounts } from './retention.ts';
import { type Actor, deleteStudent, exportStudent, type StudentExport, writeAudit } from './student.ts';

const FLUSH_MS = 5000;

/** A student's data on demand, for a gateway that may be serving the student. */
export interface PrivacyRequests {
  /** All that is stored of a student, after the line in the audit log. Rejects with `store_unreachable`. */
  exportStudent(userId: number, actor: Actor): Promise<StudentExport>;
  /**
   * Deletes it and resolves with the receipt, the number of rows by table or place, or with `connected`, and nothing deleted, while the student is.
   * Rejects with `store_unreachable`, also when windows of the student still wait for the database.
   */
  deleteStudent(userId: number, actor: Actor): Promise<Readonly<Record<string, number>> | 'connected'>;
}

export function privacyRequests(deps: {
  readonly store: Pick<MetricsStore, 'execute' | 'kind' | 'ready'>;
  readonly platform: PlatformRecords;
  readonly queue: Pick<DeliveryQueue, 'forgetStudent'>;
  readonly folder: Pick<FolderRecords, 'exportOf' | 'countOf' | 'forgetStudent'>;
  readonly calibrations: Pick<CalibrationQueue, 'forgetStudent'>;
  readonly sessions: Pick<Sessions, 'withoutStudent'>;
  /** Resolves when every window is in the delivery queue. */
  readonly allSaved: () => Promise<unknown>;
  readonly now: () => number;
}): PrivacyRequests {
  const { store, platform, folder, queue, calibrations, sessions, allSaved, now } = deps;
  return {
    async exportStudent(userId, actor) {
      const line = { atMs: now(), actor, action: 'export_student', subjectUserId: userId, detail: 'api' };
      await writeAudit(store, [line]);
      return exportStudent(store, platform, folder, userId, Math.round(now()));
    },
    deleteStudent: (userId, actor) =>
      sessions.withoutStudent(userId, async () => {
        await allSaved();
        const here = await folder.countOf(userId);
        await calibrations.forgetStudent(userId);
        const waiting = await queue.forgetStudent(userId, FLUSH_MS);
        if (waiting > 0) {
          throw new RelayError('store_unreachable', `${waiting} windows of the student still wait for the database`);
        }
        const deleted: Record<string, number> = { ...(await deleteStudent(store, platform, userId, now(), actor)) };
        addCounts(deleted, here);
        // What the parts above do not know of: windows that were open, damaged files.
        const { damaged_files: damagedFiles = 0 } = await folder.forgetStudent(userId);
        return damagedFiles === 0 ? deleted : { ...deleted, damaged_files: damagedFiles };
      }),
  };
}
