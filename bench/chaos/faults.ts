import { setTimeout as delay } from 'node:timers/promises';
import type { MariaDb } from '../../harness/mariadb.ts';
import type { PhpFault, PhpServer } from '../../harness/php-server.ts';
import type { Service } from '../../harness/services.ts';

/** Something that can be taken away and given back. */
export interface Fault {
  readonly name: string;
  /** What it acts on: one fault at a time for each. */
  readonly target: string;
  /** Shortest and longest time that it lasts, ms. */
  readonly lastsMs: readonly [number, number];
  begin(): Promise<void>;
  end(): Promise<void>;
}

/**
 * Begins faults at random, several at once but one per target, for `forMs`; resolves with their numbers by name when all of
 * them have ended. Rejects with what a fault rejects with.
 */
export async function injectFaults(
  faults: readonly Fault[],
  forMs: number,
  random: () => number,
  onFault: (name: string, lastsMs: number) => void,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const busy = new Map<string, Promise<void>>();
  const untilMs = performance.now() + forMs;
  // Each fault once before any of them comes again, so that a short run has them all.
  let deck: Fault[] = [];
  while (performance.now() < untilMs) {
    if (deck.length === 0) deck = [...faults].sort(() => random() - 0.5);
    const fault = deck.find(({ target }) => !busy.has(target));
    if (fault !== undefined) {
      deck = deck.filter((other) => other !== fault);
      const [shortestMs, longestMs] = fault.lastsMs;
      const lastsMs = Math.round(shortestMs + random() * (longestMs - shortestMs));
      counts[fault.name] = (counts[fault.name] ?? 0) + 1;
      onFault(fault.name, lastsMs);
      const lasting = (async () => {
        await fault.begin();
        await delay(lastsMs);
        await fault.end();
        busy.delete(fault.target);
      })();
      lasting.catch(() => undefined);
      busy.set(fault.target, lasting);
    }
    await delay(500 + random() * 2000);
  }
  await Promise.all(busy.values());
  return counts;
}

/** Faults of the database's process. */
export function databaseFaults(database: Pick<MariaDb, 'kill' | 'restart' | 'signal'>): Fault[] {
  return [
    {
      name: 'database_killed',
      target: 'database',
      lastsMs: [500, 4000],
      begin: () => database.kill(),
      end: () => database.restart(),
    },
    {
      name: 'database_frozen',
      target: 'database',
      lastsMs: [2000, 6000],
      begin: async () => database.signal('SIGSTOP'),
      end: async () => database.signal('SIGCONT'),
    },
  ];
}

/** Faults of PHP's endpoint, and what the gateway needs to know of it: short times, so that a run has many posts. */
export function phpFaults(php: PhpServer): { readonly faults: Fault[]; readonly env: Record<string, string> } {
  const next = (name: PhpFault): Fault => ({
    name: `php_${name}`,
    target: 'php',
    lastsMs: [2000, 4000],
    begin: () => php.failNext(name),
    end: async () => undefined,
  });
  return {
    faults: [
      { name: 'php_killed', target: 'php', lastsMs: [1000, 4000], begin: () => php.kill(), end: () => php.restart() },
      {
        name: 'php_cut',
        target: 'php',
        lastsMs: [2000, 4000],
        begin: async () => php.cutAfterBody(true),
        end: async () => php.cutAfterBody(false),
      },
      next('fatal_before'),
      next('fatal_after'),
      next('silence_before'),
      next('silence_after'),
    ],
    env: {
      PHP_ENDPOINT: php.url('a'),
      PHP_TIMEOUT_MS: '1500',
      PHP_AFTER_MS: '1000',
      PHP_MIN_SECONDS: '2',
      // Longer than a silent endpoint is silent.
      PHP_SETTLE_MS: '13000',
    },
  };
}

/** Faults of one inference service; `restart` starts it again on its port. */
export function inferenceFaults(name: string, current: () => Service, restart: () => Promise<void>): Fault[] {
  return [
    {
      name: `${name}_killed`,
      target: name,
      lastsMs: [500, 3000],
      begin: async () => {
        current().process.kill('SIGKILL');
        await current().exited;
      },
      end: restart,
    },
    {
      name: `${name}_frozen`,
      target: name,
      lastsMs: [500, 4000],
      begin: async () => void current().process.kill('SIGSTOP'),
      end: async () => void current().process.kill('SIGCONT'),
    },
  ];
}
