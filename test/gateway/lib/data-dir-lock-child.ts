import { lockDataDir } from '../../../gateway/lib/data-dir-lock.ts';
import { SILENT } from '../../../harness/gateway.ts';

// Holds the lock of the folder named on the command line until it is killed.
await lockDataDir(process.argv[2] ?? '', { logger: SILENT });
process.send?.('locked');
setInterval(() => {}, 60_000);
