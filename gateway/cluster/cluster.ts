import { randomUUID } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { describeError, RelayError } from '../../shared/errors.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import type { ReaderRevocations } from '../auth/revoked-readers.ts';
import type { TicketSpender } from '../auth/spent-tickets.ts';
import type { Secret } from '../auth/tokens.ts';
import type { Logger } from '../lib/logger.ts';
import type { NatsLink } from '../nats/connection.ts';
import type { OtherGateways } from '../privacy/requests.ts';
import type { LiveSession } from '../session/live.ts';
import type { Ownership } from '../session/ownership.ts';
import type { Sessions } from '../session/sessions.ts';
import { CheckpointWriter, type CheckpointWriterOptions } from './checkpoint-writer.ts';
import { CheckpointStream } from './checkpoints.ts';
import { KeptCheckpoints } from './kept-checkpoints.ts';
import { OwnerBucket } from './owners.ts';
import { ClusterOwnership, type HandOverQuestion, type OwnershipCounts } from './ownership.ts';
import { type AllAnswers, Peers } from './peers.ts';
import type { ReviveDependencies } from './revive.ts';
import { ClusterRevokedReaders } from './revoked-readers.ts';
import { digestOf } from './secret-digest.ts';
import { SilentGateways } from './silent-gateways.ts';
import { ClusterTickets } from './tickets.ts';

/** A dashboard waits no longer for a gateway. */
const LIVE_WITHIN_MS = 1000;
const CONNECTED_WITHIN_MS = 1500;
const FORGET_WITHIN_MS = 10_000;
const LOOK_EVERY_BEATS = 2;

type Counts = Readonly<Record<string, number>>;

/** What the gateway gives its part of the cluster. */
export interface ClusterParts
  extends Omit<ReviveDependencies, 'append'>,
    Pick<CheckpointWriterOptions, 'counting' | 'isSaved'> {
  readonly sessions: Sessions;
  /** Puts a window of a gateway that is gone into the delivery queue. */
  readonly append: (window: MetricsWindow) => Promise<void>;
  /** Deletes what this gateway keeps of a student beside the store; resolves with the number of rows by place. */
  readonly forget: (userId: number) => Promise<Counts>;
  /** UTC ms at 0 of the monotonic clock. */
  readonly offsetMs: () => number;
  /** The port that the gateway listens on. */
  readonly port: () => number;
}

/** This gateway's part in a cluster of several. */
export interface Cluster extends OtherGateways {
  readonly id: string;
  readonly ownership: Ownership;
  readonly spentTickets: TicketSpender;
  readonly revokedReaders: ReaderRevocations;
  /** Gives the parts that need the cluster themselves. Called once, before anything else. */
  attach(parts: ClusterParts): void;
  /** There are students: takes part. */
  wake(): void;
  /** There are no streams: leaves what waits to be resumed in NATS, and takes no part any more. */
  rest(): Promise<void>;
  /** Students connected to the other gateways. A gateway that does not answer in time is left out. */
  listLive(): Promise<readonly LiveSession[]>;
  /** Whether a window may be saved: not where another gateway has taken its student over meanwhile. */
  maySave(window: MetricsWindow): Promise<boolean>;
  /** Where the gateway with this id is reached; null where none is heard. Never rejects. */
  addressOf(gatewayId: string): Promise<string | null>;
  readings(): ClusterReadings;
  /** Nothing is written any more; the last words are, where streams were closed before. */
  close(): Promise<void>;
}

/** For metrics. */
export interface ClusterReadings extends OwnershipCounts {
  /** Gateways that are connected to NATS, this one included; 0 while it takes no part. */
  readonly gateways: number;
  readonly owned: number;
  readonly gatewaysBooked: number;
  readonly checkpointAgeMs: number | null;
}

export interface ClusterOptions {
  readonly link: NatsLink;
  readonly secret: Secret;
  readonly ticketMaxLifeS: number;
  readonly version: string;
  /** Where the other gateways reach this one; null: found by its network interfaces. */
  readonly address: string | null;
  readonly isLoopback: boolean;
  readonly logger: Logger;
}

/** Address of this machine for the others: the first that is not its own loopback. */
function addressOfMachine(isLoopback: boolean, port: number): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outer = all.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  const found = isLoopback ? undefined : (outer.find(({ family }) => family === 'IPv4') ?? outer[0]);
  if (found === undefined) return `http://127.0.0.1:${port}`;
  return found.family === 'IPv6' ? `http://[${found.address}]:${port}` : `http://${found.address}:${port}`;
}

/** A gateway without students asks the others once in so long where one is reached. */
const ADDRESS_VALID_MS = 10_000;
const MAX_ADDRESSES = 1000;

const userIdOf = (body: unknown): number => Number((body as { readonly userId: unknown }).userId);

/** Takes no part before it is woken. */
export function createCluster(options: ClusterOptions): Cluster {
  const { link, logger } = options;
  const id = randomUUID();
  const secretDigest = digestOf(options.secret);
  let attached: ClusterParts | null = null;
  let beats = 0;
  let isWanted = false;
  let asking = 0;
  const addresses = new Map<string, { readonly atMs: number; readonly address: string | null }>();
  const parts = (): ClusterParts => {
    if (attached === null) throw new TypeError('the cluster has no parts yet');
    return attached;
  };
  const address = () => options.address ?? addressOfMachine(options.isLoopback, parts().port());
  const owners = new OwnerBucket(link);
  const checkpoints = new CheckpointStream(link);
  const kept = new KeptCheckpoints(checkpoints.name);
  const spentTickets = new ClusterTickets(link, options.ticketMaxLifeS, logger);
  const revokedReaders = new ClusterRevokedReaders(link, logger);
  const peers = new Peers({
    link,
    id,
    self: () => ({ address: address(), version: options.version, secretDigest }),
    handlers: {
      'hand-over': (body) => ownership.handOver(body as HandOverQuestion),
      'is-awaiting': async (body) => ownership.isAwaiting(body as HandOverQuestion),
      live: async () => parts().sessions.listLive(),
      'is-connected': async (body) => parts().sessions.isConnected(userIdOf(body)),
      kept: async (body) => {
        const { gatewayId, userId } = body as { readonly gatewayId: string; readonly userId: number };
        return kept.stateOf(gatewayId, userId);
      },
      forget: async (body) => {
        const userId = userIdOf(body);
        // Sessions that wait to be resumed here are dropped too.
        parts().sessions.lose(userId, 'superseded');
        return parts().forget(userId);
      },
    },
    logger,
    onLapsed: () => ownership.check(),
    onBeat: (connection) => {
      beats += 1;
      kept.follow(
        connection,
        id,
        peers.others().map((other) => other.id),
      );
      void ownership.retry();
      if (beats % LOOK_EVERY_BEATS === 0) silent.look();
    },
  });
  const append = (window: MetricsWindow) => parts().append(window);
  const ownership: ClusterOwnership = new ClusterOwnership({
    peers,
    owners,
    checkpoints,
    kept,
    sessions: () => parts().sessions,
    append,
    storedReport: (sessionId) => parts().storedReport(sessionId),
    pendingFor: (sessionId) => parts().pendingFor(sessionId),
    address,
    offsetMs: () => parts().offsetMs(),
    logger,
  });
  const silent = new SilentGateways({
    peers,
    owners,
    checkpoints,
    newestOf: (gatewayId, userId) => ownership.newestOf(gatewayId, userId),
    append,
    logger,
  });
  const writer = new CheckpointWriter({
    write: (students, isConfirmed) => checkpoints.write(id, students, { isConfirmed }),
    counting: () => parts().counting(),
    isSaved: (sessionId) => parts().isSaved(sessionId),
    spansOf: (userId) => parts().sessions.spansOf(userId, parts().offsetMs()),
    maySpeak: () => !peers.isLapsed,
    logger,
  });

  /** Leaves sessions that wait to be resumed to the others, with all their windows saved, unless students come meanwhile. */
  async function leave(): Promise<void> {
    isWanted = false;
    if (!peers.isMember) return;
    await writer.stop();
    await silent.idle();
    const { sessions, offsetMs } = parts();
    const students = sessions
      .students()
      .map((userId) => ({ userId, state: sessions.detachedState(userId, offsetMs()) }));
    try {
      await checkpoints.write(id, students, { isFinal: true, isConfirmed: true });
    } catch (error) {
      // Every window is saved: the sessions are resumed from the store.
      logger.warn(
        { code: 'nats_unreachable', reason: describeError(error) },
        'sessions that wait could not be left to others',
      );
    }
    if (isWanted) {
      writer.start();
      return;
    }
    ownership.forget();
    sessions.forget();
    kept.end();
    peers.leave();
  }

  /** A gateway without students takes part for as long as it asks the others. */
  async function asMember<T>(ask: () => Promise<T>): Promise<T> {
    asking += 1;
    peers.join();
    try {
      return await ask();
    } finally {
      asking -= 1;
      if (!isWanted && asking === 0) peers.leave();
    }
  }

  const askAll = <T>(...question: Parameters<Peers['askAll']>): Promise<AllAnswers<T>> =>
    asMember(() => peers.askAll<T>(...question));

  /** The same where nothing may be done unless all have answered. Rejects with `store_unreachable` else. */
  async function rowsOfAll<T>(...question: Parameters<Peers['askAll']>): Promise<readonly T[]> {
    const { rows, isComplete } = await askAll<T>(...question);
    if (isComplete) return rows;
    throw new RelayError('store_unreachable', 'a gateway could not be asked, or could not delete what it keeps', {
      hint: 'ask again when all gateways, NATS and the database are reachable',
    });
  }

  return {
    id,
    ownership,
    spentTickets,
    revokedReaders,
    attach(given) {
      attached = given;
    },
    wake() {
      isWanted = true;
      peers.join();
      writer.start();
      // The first student need not wait for the buckets one after another.
      void Promise.allSettled([owners.open(), spentTickets.open(), checkpoints.open()]);
    },
    rest: leave,
    async listLive() {
      const others = await askAll<LiveSession>('live', {}, LIVE_WITHIN_MS).catch((error: unknown) => {
        const reason = describeError(error);
        logger.warn({ code: 'nats_unreachable', reason }, 'students of other gateways are not known');
        return { rows: [] };
      });
      const here = new Set(
        parts()
          .sessions.listLive()
          .map(({ sessionId }) => sessionId),
      );
      return others.rows.filter(({ sessionId }) => !here.has(sessionId));
    },
    async isConnectedElsewhere(userId) {
      return (await rowsOfAll<boolean>('is-connected', { userId }, CONNECTED_WITHIN_MS)).includes(true);
    },
    async forgetElsewhere(userId) {
      const sums: Record<string, number> = {};
      for (const counts of await rowsOfAll<Counts>('forget', { userId }, FORGET_WITHIN_MS)) {
        for (const [place, count] of Object.entries(counts)) sums[place] = (sums[place] ?? 0) + count;
      }
      return sums;
    },
    maySave: (window) => ownership.maySave(window),
    async addressOf(gatewayId) {
      const nowMs = performance.now();
      const known = addresses.get(gatewayId);
      if (known !== undefined && nowMs - known.atMs < ADDRESS_VALID_MS) return known.address;
      const address = await asMember(async () => {
        await peers.met();
        return peers.others().find(({ id }) => id === gatewayId)?.address ?? null;
      });
      if (addresses.size >= MAX_ADDRESSES) addresses.clear();
      addresses.set(gatewayId, { atMs: nowMs, address });
      return address;
    },
    readings: () => ({
      ...ownership.counts,
      gateways: peers.isMember ? peers.others().length + 1 : 0,
      owned: ownership.count,
      gatewaysBooked: silent.count,
      checkpointAgeMs: writer.ageMs,
    }),
    close: leave,
  };
}
