import { pino } from 'pino';
import { openQueue } from '../../../gateway/delivery/queue.ts';
import { openStore } from '../../../gateway/store/open.ts';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import { metricsWindow } from '../store/windows.ts';

/**
 * A gateway's storing half in a process of its own, to be killed: appends windows of one epoch for ever and
 * writes a line for each that the spool has taken. Arguments: data folder, MySQL address or "-", epoch, and whether to continue
 * after the store has taken something ("deliver") or to stop right there, before the spool hears of it ("stall").
 */
const [dataDir = '', mysqlUrl = '-', epoch = '0', behaviour = 'deliver'] = process.argv.slice(2);
const logger = pino({ level: 'silent' });
const store = await openStore({ mysqlUrl: mysqlUrl === '-' ? null : mysqlUrl, dataDir }, logger);

const stalling: Pick<MetricsStore, 'applyWindows'> = {
  async applyWindows(windows) {
    await store.applyWindows(windows);
    process.stdout.write(`stored ${windows.length}\n`);
    return new Promise(() => undefined);
  },
};

const spool = await openQueue({ dataDir, store: behaviour === 'stall' ? stalling : store, logger });
for (let seq = 0; ; seq += 1) {
  await spool.append(metricsWindow({ epoch: Number(epoch), seq, focusedMs: 1000 + seq }));
  process.stdout.write(`appended ${seq}\n`);
}
