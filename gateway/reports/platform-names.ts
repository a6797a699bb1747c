import { type Directory, NO_DIRECTORY, type ReportDatabase } from './database.ts';
import type { Names, ReportStore } from './port.ts';

/** Names of students, classes, modules and lesson sections, from the school's platform. */
export interface PlatformNames {
  /** What names there are in the store's database, as far as is known when it has been migrated. */
  directory(): Directory;
  /** Names of the ids given. Rejects as the database does. */
  read(database: ReportDatabase, ids: Parameters<ReportStore['names']>[0]): Promise<Names>;
}

/** Without a platform everybody and everything is shown by id. */
export const NO_PLATFORM_NAMES: PlatformNames = {
  directory: () => NO_DIRECTORY,
  read: async () => ({ students: new Map(), modules: new Map(), sections: new Map() }),
};
