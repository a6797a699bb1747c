import type { FolderRecords } from '../delivery/folder-records.ts';
import { createMutex } from '../lib/mutex.ts';
import type { Sessions } from '../session/sessions.ts';
import type { MetricsStore } from '../store/port.ts';
import type { PlatformRecords } from './platform-records.ts';
import { addCounts } from './retention.ts';
import { type Actor, deleteStudent, exportStudent, type StudentExport, writeAudit } from './student.ts';
import type { StudentRecords } from './student-records.ts';

/** The other gateways, where there are any. */
export interface OtherGateways {
  isConnectedElsewhere(userId: number): Promise<boolean>;
  /** Deletes what they keep of a student; resolves with the number of rows by place. Rejects where one gives no answer. */
  forgetElsewhere(userId: number): Promise<Readonly<Record<string, number>>>;
}

/** A student's data on demand, for a gateway that may be serving the student. */
export interface PrivacyRequests {
  /** All that is stored of a student, after the line in the audit log. Rejects with `store_unreachable`, or as NATS does. */
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
  readonly undelivered: Pick<FolderRecords, 'exportOf'>;
  readonly records: StudentRecords;
  readonly sessions: Pick<Sessions, 'withoutStudent'>;
  /** Null: this gateway stands alone. */
  readonly cluster: OtherGateways | null;
  readonly now: () => number;
}): PrivacyRequests {
  const { store, platform, undelivered, records, sessions, cluster, now } = deps;
  // One after another: each has all rows of a student in memory.
  const exports = createMutex();
  return {
    async exportStudent(userId, actor) {
      const line = { atMs: now(), actor, action: 'export_student', subjectUserId: userId, detail: 'api' };
      await writeAudit(store, [line]);
      return exports.run(() => exportStudent(store, platform, undelivered, userId, Math.round(now())));
    },
    async deleteStudent(userId, actor) {
      if (await cluster?.isConnectedElsewhere(userId)) return 'connected';
      return sessions.withoutStudent(userId, async () => {
        const kept = [await records.forget(userId), (await cluster?.forgetElsewhere(userId)) ?? {}];
        const deleted: Record<string, number> = { ...(await deleteStudent(store, platform, userId, now(), actor)) };
        for (const counts of kept) addCounts(deleted, counts);
        return deleted;
      });
    },
  };
}
