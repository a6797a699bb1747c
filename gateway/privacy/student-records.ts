import { RelayError } from '../../shared/errors.ts';
import type { CalibrationQueue } from '../delivery/calibrations.ts';
import type { FolderRecords } from '../delivery/folder-records.ts';
import type { DeliveryQueue } from '../delivery/queue.ts';

const FLUSH_MS = 5000;

/** What one gateway keeps of students beside the store. */
export interface StudentRecords {
  /**
   * Delivers the windows of a student and deletes everything else that is kept of them here; resolves with the number of
   * rows by place. Rejects with `store_unreachable`, and nothing deleted, where windows still wait; with `spool_failed`.
   */
  forget(userId: number): Promise<Readonly<Record<string, number>>>;
}

export function studentRecords(deps: {
  readonly folder: Pick<FolderRecords, 'countOf' | 'forgetStudent'>;
  readonly queue: Pick<DeliveryQueue, 'forgetStudent'>;
  readonly calibrations: Pick<CalibrationQueue, 'forgetStudent'>;
  /** Resolves when every window is in the delivery queue. */
  readonly allSaved: () => Promise<unknown>;
}): StudentRecords {
  const { folder, queue, calibrations, allSaved } = deps;
  return {
    async forget(userId) {
      await allSaved();
      const here = await folder.countOf(userId);
      await calibrations.forgetStudent(userId);
      const waiting = await queue.forgetStudent(userId, FLUSH_MS);
      if (waiting > 0) {
        throw new RelayError('store_unreachable', `${waiting} windows of the student still wait for the database`);
      }
      // What the parts above do not know of: windows that were open, damaged files.
      const { damaged_files: damagedFiles = 0 } = await folder.forgetStudent(userId);
      return damagedFiles === 0 ? here : { ...here, damaged_files: damagedFiles };
    },
  };
}
