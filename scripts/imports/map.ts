/** A folder, or a few files of one, with one subject. */
export interface Room {
  /** What it contains. */
  readonly holds: string;
  /** Rooms that its files may import, besides itself. Naming a folder allows every room inside it. */
  readonly imports: readonly string[];
}

const CORE = ['shared'];
export const PRODUCT: readonly string[] = ['shared', 'client', 'gateway', 'inference'];
const LABORATORY = [...PRODUCT, 'harness', 'scripts/build'];

/** The map of the house. A file is in the room with the longest name that its path begins with. */
export const ROOMS: Readonly<Record<string, Room>> = {
  shared: { holds: 'the pure core: protocol, vision arithmetic, focus over time, report rules', imports: [] },

  'client/lib': { holds: 'small helpers of the pages', imports: CORE },
  'client/device': { holds: 'finds the face in the browser', imports: [...CORE, 'client/lib'] },
  'client/calibration': { holds: "the student's calibration: points on the screen", imports: [...CORE, 'client/lib'] },
  'client/connection': {
    holds: 'the connection to the gateway: outboxes, rate and picture size',
    imports: [...CORE, 'client/lib'],
  },
  'client/capture': {
    holds: 'camera, pictures, crops: server mode and device mode',
    imports: [...CORE, 'client/lib', 'client/connection', 'client/device'],
  },
  'client/session': {
    holds: "one student's session: connection, capture and calibration together",
    imports: [...CORE, 'client/lib', 'client/connection', 'client/capture', 'client/device', 'client/calibration'],
  },
  'client/widget': {
    holds: 'the drop-in script and its callbacks',
    imports: [
      ...CORE,
      'client/lib',
      'client/connection',
      'client/capture',
      'client/device',
      'client/calibration',
      'client/session',
    ],
  },
  'client/page': {
    holds: "the gateway's own page: live view and set-up",
    imports: [
      ...CORE,
      'client/lib',
      'client/connection',
      'client/capture',
      'client/device',
      'client/calibration',
      'client/session',
      'client/widget',
    ],
  },
  'client/dashboard': { holds: 'the reports pages', imports: [...CORE, 'client/lib', 'client/widget', 'client/page'] },
  client: { holds: 'entry points of the bundles', imports: [...CORE, 'client'] },

  'gateway/lib': { holds: 'small helpers: backoff, clock, timeout, mutex, SQLite file, logger', imports: CORE },
  'gateway/auth': { holds: 'tickets, resume tokens, roles of readers', imports: [...CORE, 'gateway/lib'] },
  'gateway/store': {
    holds: 'windows and sessions in MySQL or in the embedded database',
    imports: [...CORE, 'gateway/lib'],
  },
  'gateway/nats': {
    holds: 'the connection to NATS, its configuration and its errors; loaded only if NATS_URL is set',
    imports: [...CORE, 'gateway/lib'],
  },
  'gateway/relay': { holds: 'connections to inference, one for each replica', imports: [...CORE, 'gateway/lib'] },
  'gateway/observability': {
    holds: 'metrics',
    imports: [...CORE, 'gateway/lib', 'gateway/relay', 'gateway/store'],
  },
  'gateway/delivery': {
    holds:
      'delivery of windows from the disk to the store, however long the store is unavailable; stream/ does the same with several gateways',
    imports: [...CORE, 'gateway/lib', 'gateway/store', 'gateway/nats'],
  },
  'gateway/reports': {
    holds: 'answers of the reports API, from the database',
    imports: [...CORE, 'gateway/lib', 'gateway/auth', 'gateway/store'],
  },
  'gateway/session': {
    holds: "students' streams: the protocol, from frames to observations, from observations to windows",
    imports: [
      ...CORE,
      'gateway/lib',
      'gateway/auth',
      'gateway/store',
      'gateway/relay',
      'gateway/observability',
      'gateway/delivery',
    ],
  },
  'gateway/privacy': {
    holds: 'export, deletion, retention, consent',
    imports: [...CORE, 'gateway/lib', 'gateway/store', 'gateway/delivery', 'gateway/session'],
  },
  'gateway/cluster': {
    holds:
      'which of several gateways serves which student, and the messages between gateways; loaded only if NATS_URL is set',
    imports: [
      ...CORE,
      'gateway/lib',
      'gateway/nats',
      'gateway/auth',
      'gateway/store',
      'gateway/session',
      'gateway/privacy',
    ],
  },
  'gateway/http': {
    holds: 'routes: the stream, pages, health, metrics, the reports API',
    imports: [
      ...CORE,
      'gateway/lib',
      'gateway/auth',
      'gateway/store',
      'gateway/observability',
      'gateway/reports',
      'gateway/session',
      'gateway/privacy',
    ],
  },
  'gateway/eyelearn': {
    holds: 'everything specific to EyeLearn, behind the ports of store, delivery, reports and privacy',
    imports: [...CORE, 'gateway'],
  },
  'gateway/cli': {
    holds: "the operator's commands: doctor, mint-ticket, privacy and others",
    imports: [...CORE, 'gateway'],
  },
  gateway: { holds: 'configuration, start and shutdown', imports: [...CORE, 'gateway'] },

  inference: { holds: 'the stateless service that finds 478 face points', imports: CORE },

  'scripts/build': { holds: 'the build: bundles, conversion of the models', imports: PRODUCT },
  scripts: { holds: 'scripts that build, package, document and start the product', imports: LABORATORY },
  harness: {
    holds: 'real parts for tests and benches: databases, PHP, browsers, links, the recorded clip',
    imports: LABORATORY,
  },
  bench: {
    holds: '`npm run bench -- NAME`: one file for each bench, its parts in a folder of the same name',
    imports: LABORATORY,
  },

  'test/support': { holds: 'code that several tests share and no bench needs', imports: LABORATORY },
  'test/scripts': { holds: 'tests of scripts', imports: [...LABORATORY, 'scripts', 'test/support'] },
  'test/bench': { holds: 'tests of bench', imports: [...LABORATORY, 'bench', 'test/support'] },
  'test/docs': { holds: 'tests of statements in the documents', imports: [...LABORATORY, '.railway', 'test/support'] },
  'test/shared': { holds: 'tests of shared', imports: [...LABORATORY, 'test/support'] },
  'test/client': { holds: 'tests of client', imports: [...LABORATORY, 'test/support'] },
  'test/gateway': { holds: 'tests of gateway', imports: [...LABORATORY, 'test/support'] },
  'test/inference': { holds: 'tests of inference', imports: [...LABORATORY, 'test/support'] },
  'test/harness': { holds: 'tests of harness', imports: [...LABORATORY, 'test/support'] },
  'test/e2e': { holds: 'tests of the whole product with browsers', imports: [...LABORATORY, 'test/support'] },

  '.railway': { holds: 'the project on Railway', imports: [] },
};

/** Files that belong to another room than their folder's. */
const BUILD = /^scripts\/(build(-\w+)?\.ts|models\/)/;

/** The room of a file; null for files that lie in no folder of the map, such as vitest.config.ts. */
export function roomOf(file: string): string | null {
  if (BUILD.test(file)) return 'scripts/build';
  const parts = file.split('/').slice(0, -1);
  for (let length = parts.length; length > 0; length--) {
    const name = parts.slice(0, length).join('/');
    if (name in ROOMS) return name;
  }
  return null;
}

/** Imports against the map that are still to be mended: `importing file > imported file`. Must become empty. */
export const EXCEPTIONS: readonly string[] = [];
