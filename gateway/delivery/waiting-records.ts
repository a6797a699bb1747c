import type { NatsLink } from '../nats/connection.ts';
import type { FolderRecords } from './folder-records.ts';

/** What waits for the store, in this gateway's folder and, where several gateways share them, in NATS. Rejects as either does. */
export function waitingRecords(
  folder: Pick<FolderRecords, 'exportOf'>,
  nats: NatsLink | null,
): Pick<FolderRecords, 'exportOf'> {
  if (nats === null) return folder;
  return {
    async exportOf(userId) {
      const { streamRecords } = await import('./stream/stream-records.ts');
      const [here, shared] = await Promise.all([folder.exportOf(userId), streamRecords(nats).exportOf(userId)]);
      return { ...here, ...shared };
    },
  };
}
