import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { SessionReport } from '../gateway/store/port.ts';
import { Clip } from '../harness/clip-player.ts';
import { startGateway, startInference } from '../harness/services.ts';
import { fetchTicket, playStudent, type StudentResult } from '../harness/student.ts';
import { describeError, RelayError } from '../shared/errors.ts';
import { buildClient, buildServices } from './build.ts';
import { Display } from './demo/display.ts';

const CLIP_PATH = fileURLToPath(new URL('../harness/clips/cap12.mjpeg', import.meta.url));
const CLIP_FPS = 10;
/** Demo students are numbered from here, so that no real student is given their time. */
const FIRST_USER_ID = 9_000_001;

const USAGE = `npm run demo -- [options]
  --students N   play N students at once (1 to 200, default 1)
  --mysql URL    write to this MySQL instead of an embedded file
  --json         end with one JSON object as the last line
  --verbose      show the services' logs
  --no-build     run what is in dist/ already
`;

interface Options {
  readonly students: number;
  readonly mysql: string | null;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly build: boolean;
}

function readOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      students: { type: 'string', default: '1' },
      mysql: { type: 'string' },
      json: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      'no-build': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  const students = Number(values.students);
  if (!Number.isInteger(students) || students < 1 || students > 200) {
    throw new RelayError('option_invalid', '--students is a whole number from 1 to 200');
  }
  return {
    students,
    mysql: values.mysql ?? null,
    json: values.json,
    verbose: values.verbose,
    build: !values['no-build'],
  };
}

async function fetchReport(gatewayUrl: string, result: StudentResult): Promise<SessionReport> {
  const ticket = await fetchTicket(gatewayUrl, result.userId);
  const response = await fetch(new URL(`/api/v1/sessions/${result.sessionId}`, gatewayUrl), {
    headers: { authorization: `Bearer ${ticket}` },
  });
  const body = (await response.json()) as { report?: SessionReport; error?: { code: string; message: string } };
  if (body.report === undefined) {
    throw new RelayError(body.error?.code ?? 'report_missing', body.error?.message ?? `status ${response.status}`);
  }
  return body.report;
}

function percentile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
}

/** Times and counts are sums over the students, as read back from the store. */
function summarize(
  clipMs: number,
  results: readonly StudentResult[],
  reports: readonly SessionReport[],
  store: string,
) {
  const sum = <T>(items: readonly T[], pick: (item: T) => number) =>
    items.reduce((total, item) => total + pick(item), 0);
  const latencies = results.flatMap(({ latenciesMs }) => latenciesMs).sort((a, b) => a - b);
  const processed = sum(reports, (report) => report.framesProcessed);
  return {
    students: results.length,
    clipMs,
    framesSent: sum(results, (result) => result.framesSent),
    observations: sum(results, (result) => result.observations),
    faceFoundShare: processed === 0 ? null : sum(reports, (report) => report.framesWithFace) / processed,
    focusedMs: sum(reports, (report) => report.focusedMs),
    unfocusedMs: sum(reports, (report) => report.unfocusedMs),
    untrackedMs: sum(reports, (report) => report.untrackedMs),
    unknownMs: sum(reports, (report) => report.unknownMs),
    uplinkBytes: sum(results, (result) => result.uplinkBytes),
    downlinkBytes: sum(results, (result) => result.downlinkBytes),
    latencyMsP50: percentile(latencies, 0.5),
    latencyMsP99: percentile(latencies, 0.99),
    store,
  };
}

function printReport(
  out: NodeJS.WriteStream,
  summary: ReturnType<typeof summarize>,
  reports: readonly SessionReport[],
): void {
  const perStudent = (ms: number) => `${(ms / summary.students / 1000).toFixed(1).padStart(6)} s`;
  const trackedMs = summary.focusedMs + summary.unfocusedMs + summary.unknownMs;
  const share = (ms: number) => (trackedMs === 0 ? '–' : `${((ms / trackedMs) * 100).toFixed(0).padStart(3)} %`);
  const directions = new Map<string, number>();
  for (const report of reports) {
    for (const [name, ms] of Object.entries(report.directionMs)) directions.set(name, (directions.get(name) ?? 0) + ms);
  }
  const bouts = reports.reduce((total, report) => total + report.bouts.length, 0);
  const who = summary.students === 1 ? `session ${reports[0]?.sessionId}` : `${summary.students} sessions, per student`;
  const lines = [
    '',
    `Focus report of ${who}, read back from ${summary.store}:`,
    `  focused    ${perStudent(summary.focusedMs)}  ${share(summary.focusedMs)} of tracked time`,
    `  unfocused  ${perStudent(summary.unfocusedMs)}  ${share(summary.unfocusedMs)}`,
    `  unknown    ${perStudent(summary.unknownMs)}  ${share(summary.unknownMs)}`,
    `  untracked  ${perStudent(summary.untrackedMs)}`,
    `  bouts      ${bouts}`,
    `  directions ${[...directions].map(([name, ms]) => `${name} ${(ms / summary.students / 1000).toFixed(1)} s`).join(', ')}`,
    `  face found in ${((summary.faceFoundShare ?? 0) * 100).toFixed(1)} % of ${summary.observations} observations`,
    `  link       ${(summary.uplinkBytes / summary.students / summary.clipMs).toFixed(1)} kB/s up, ${(summary.downlinkBytes / summary.students / summary.clipMs).toFixed(2)} kB/s down; capture to update p50 ${summary.latencyMsP50} ms, p99 ${summary.latencyMsP99} ms`,
    '',
  ];
  out.write(lines.join('\n'));
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const out = options.json ? process.stderr : process.stdout;
  const dataDir = await mkdtemp(join(tmpdir(), 'gaze-relay-demo-'));
  const env = {
    PATH: process.env.PATH,
    MODEL_CACHE_DIR: process.env.MODEL_CACHE_DIR,
    FOCUS_RULE: process.env.FOCUS_RULE,
    LOG_LEVEL: options.verbose ? 'info' : 'warn',
    HOST: '127.0.0.1',
    PORT: '0',
    DATA_DIR: dataDir,
    MYSQL_URL: options.mysql ?? undefined,
  };
  const log = options.verbose ? 'inherit' : 'ignore';
  if (options.build) await Promise.all([buildClient(), buildServices()]);
  const inference = await startInference({ env, log });
  try {
    const gateway = await startGateway({ env, log }, inference.port);
    try {
      const gatewayUrl = `http://127.0.0.1:${gateway.port}/`;
      const clip = await Clip.open(CLIP_PATH, CLIP_FPS);
      out.write(
        `Playing a ${clip.lengthMs / 1000} s webcam clip as ${options.students} student(s) into ${gatewayUrl}\n`,
      );
      const display = new Display(out, options.students, clip.lengthMs);
      const results = await Promise.all(
        Array.from({ length: options.students }, (_, index) =>
          playStudent(gatewayUrl, clip, FIRST_USER_ID + index, (progress) =>
            display.show(index, progress, performance.now()),
          ),
        ),
      );
      display.end();
      const reports = await Promise.all(results.map((result) => fetchReport(gatewayUrl, result)));
      const summary = summarize(clip.lengthMs, results, reports, options.mysql === null ? 'libsql' : 'mysql');
      printReport(out, summary, reports);
      if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
    } finally {
      await gateway.stop();
    }
  } finally {
    await inference.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${describeError(error)}\n`);
    process.exit(1);
  },
);
