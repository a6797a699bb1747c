import { parseArgs } from 'node:util';
import type { LinkShape } from '../../harness/link/shaped-link.ts';
import { type LinkWish, symmetricLink } from '../../harness/link/shapes.ts';

/** A link of the bench. */
export interface BenchLink {
  readonly name: string;
  readonly description: string;
  readonly kbps: number;
  readonly rttMs: number;
  readonly shape: LinkShape;
  /** From when and for how long nothing passes, ms of the measured time; null = never. */
  readonly outage: { readonly fromMs: number; readonly lengthMs: number } | null;
}

function link(
  name: string,
  description: string,
  wish: LinkWish & { readonly kbps: number },
  outage: BenchLink['outage'] = null,
): BenchLink {
  return { name, description, kbps: wish.kbps, rttMs: wish.rttMs, shape: symmetricLink(wish), outage };
}

const BURSTS = { share: 0.02, burstPackets: 5 };

const OUTAGE = { fromMs: 5000, lengthMs: 10_000 };

/** The links that are measured, slowest first. Rates hold both ways. */
export const BENCH_LINKS: readonly BenchLink[] = [
  link('64k', '64 kbit/s, 300 ms', { kbps: 64, rttMs: 300 }),
  link('64k-loss', '64 kbit/s, 300 ms, 2 % loss', { kbps: 64, rttMs: 300, loss: 0.02 }),
  link('64k-outage', '64 kbit/s, 300 ms, 10 s of outage', { kbps: 64, rttMs: 300 }, OUTAGE),
  link('128k-far', '128 kbit/s, 600 ms', { kbps: 128, rttMs: 600 }),
  link('256k', '256 kbit/s, 150 ms', { kbps: 256, rttMs: 150 }),
  link('256k-bursts', '256 kbit/s, 150 ms, 2 % loss in bursts of 5', { kbps: 256, rttMs: 150, loss: BURSTS }),
  link('1M', '1 Mbit/s, 60 ms', { kbps: 1000, rttMs: 60 }),
  link('1M-outage', '1 Mbit/s, 60 ms, 10 s of outage', { kbps: 1000, rttMs: 60 }, OUTAGE),
  link('10M', '10 Mbit/s, 20 ms', { kbps: 10_000, rttMs: 20 }),
];

/**
 * Who sends over a link: our client before a moving and a still student, on the device, both kinds of it by POSTs, and
 * the seed's way.
 */
export const CONTENDERS = ['ours', 'still', 'device', 'post', 'postDevice', 'seed'] as const;
export type Contender = (typeof CONTENDERS)[number];

/** After an outage there must be time to come back. */
const AFTER_OUTAGE_MS = 25_000;

/** How long a link is measured, ms. */
export function measuredMs(bench: BenchLink, wishedMs: number): number {
  if (bench.outage === null) return wishedMs;
  return Math.max(wishedMs, bench.outage.fromMs + bench.outage.lengthMs + AFTER_OUTAGE_MS);
}

export interface LinksOptions {
  readonly links: readonly BenchLink[];
  readonly contenders: readonly Contender[];
  readonly seconds: number;
  readonly json: boolean;
  /** Folder that the charts are written to; null = none. */
  readonly chartsTo: string | null;
}

const DEFAULT_SECONDS = '25';

/** Reads the command line. Throws an Error that says what is wrong with it. */
export function parseLinksOptions(argv: readonly string[]): LinksOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string', default: DEFAULT_SECONDS },
      links: { type: 'string' },
      contenders: { type: 'string' },
      charts: { type: 'string' },
    },
  });
  const seconds = Number(values.seconds);
  if (!(seconds >= 5 && seconds <= 600)) throw new Error('--seconds is a number from 5 to 600');
  return {
    links: chosen('--links', values.links, BENCH_LINKS, ({ name }) => name),
    contenders: chosen('--contenders', values.contenders, CONTENDERS, (name) => name),
    seconds,
    json: values.json,
    chartsTo: values.charts ?? null,
  };
}

function chosen<T>(
  flag: string,
  list: string | undefined,
  all: readonly T[],
  nameOf: (one: T) => string,
): readonly T[] {
  if (list === undefined) return all;
  return list.split(',').map((name) => {
    const found = all.find((one) => nameOf(one) === name);
    if (found === undefined) throw new Error(`${flag}: ${name} is none of ${all.map(nameOf).join(', ')}`);
    return found;
  });
}
