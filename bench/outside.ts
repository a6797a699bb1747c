import { type SpawnOptions, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mintTicket, REPORTS_SCOPE, type Role } from '../gateway/auth/ticket.ts';
import { startProduct } from '../harness/product.ts';
import { RelayError } from '../shared/errors.ts';
import { STREAM_PATH } from '../shared/protocol/version.ts';

/** What others have written to try such services, from PyPI. Neither belongs to the product or its tests. */
const PACKAGES = ['schemathesis==4.32.5', 'websockets==17.4'];
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const VENV = path.join(ROOT, '.cache/outside');
/** As long as a ticket may be valid: the HTTP part takes minutes. */
const TICKET_LIFE_S = 3600;

async function spawned(command: string, args: readonly string[], more: SpawnOptions = {}): Promise<number> {
  const child = spawn(command, args, { stdio: 'inherit', ...more });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

async function must(command: string, args: readonly string[]): Promise<void> {
  if ((await spawned(command, args)) === 0) return;
  throw new RelayError('command_failed', `${command} ${args.join(' ')} failed`, {
    hint: 'Python 3.10 or later with venv is needed, and PyPI',
  });
}

/** The tools in a virtual environment of their own, made when it is missing. */
async function tools(): Promise<(name: string) => string> {
  const tool = (name: string) => path.join(VENV, 'bin', name);
  if (!existsSync(tool('schemathesis'))) {
    await must('python3', ['-m', 'venv', VENV]);
    await must(tool('pip'), ['install', '--quiet', ...PACKAGES]);
  }
  return tool;
}

/** Runs both against the built product on loopback; a fault that they find is the exit code 1. Rejects with `command_failed` without Python or PyPI. */
export async function run(argv: readonly string[]): Promise<void> {
  const { values: options } = parseArgs({ args: [...argv], options: { examples: { type: 'string', default: '30' } } });
  const tool = await tools();
  const secret = randomBytes(32).toString('hex');
  const product = await startProduct({
    RELAY_JWT_SECRET: secret,
    ALLOWED_ORIGINS: 'https://school.example',
    TICKET_MAX_LIFE_S: String(TICKET_LIFE_S),
  });
  const ticketOf = (role: Role) =>
    mintTicket(
      { userId: 7, moduleId: 1, role, scope: role === 'admin' ? REPORTS_SCOPE : null },
      secret,
      new Date(),
      randomUUID(),
    );
  let failed = 0;
  try {
    const socket = new URL(STREAM_PATH, product.url);
    socket.protocol = 'ws:';
    failed += await spawned(tool('python'), [
      fileURLToPath(new URL('./outside/websocket_check.py', import.meta.url)),
      socket.href,
      ticketOf('student'),
    ]);
    for (const role of ['student', 'admin'] as const) {
      console.log(`\nHTTP API from its own OpenAPI document, as ${role}`);
      const command = [
        'run',
        new URL('/api/v1/openapi.json', product.url).href,
        '--checks',
        'all',
        // A range of more than 400 days is refused, which a schema of two dates cannot say.
        '--exclude-checks',
        'positive_data_acceptance',
        '--max-examples',
        options.examples,
        '--seed',
        '1',
        '--header',
        `Authorization: Bearer ${ticketOf(role)}`,
      ];
      // It leaves its notes in the folder in which it runs.
      failed += await spawned(tool('schemathesis'), command, { cwd: VENV });
    }
  } finally {
    await product.stop();
  }
  if (failed > 0) process.exitCode = 1;
}
