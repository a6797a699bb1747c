import { setTimeout as delay } from 'node:timers/promises';
import { isBusy, storeError } from './errors.ts';

/** Another connection may hold the file for about 2 s before it counts as unavailable. */
const ATTEMPTS = 40;
const WAIT_MS = 50;

/** What `task` resolves with; repeats it while another connection holds the file. Rejects with the port's errors. */
export async function retryWhileBusy<T>(task: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await task();
    } catch (error) {
      if (!isBusy(error) || attempt === ATTEMPTS) throw storeError(error);
      await delay(WAIT_MS);
    }
  }
}
