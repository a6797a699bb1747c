import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ensureProgram } from '../../harness/debian-packages.ts';

const run = promisify(execFile);
const TSX = fileURLToPath(new URL('../../node_modules/tsx/dist/cli.mjs', import.meta.url));
const SCENARIO = fileURLToPath(new URL('./idle-packets-child.ts', import.meta.url));
const ROOT_ON_LINUX = process.platform === 'linux' && process.getuid?.() === 0;

// Namespaces need root; idle.test.ts watches the same sockets from outside everywhere.
describe.runIf(ROOT_ON_LINUX)('an idle product in a network of its own', () => {
  it('sends not a single packet, and serves the next student', async () => {
    const ip = ensureProgram({
      program: 'ip',
      candidates: ['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip'],
      package: 'iproute2',
    });
    const namespace = `gaze-${randomUUID().slice(0, 8)}`;
    await run(ip, ['netns', 'add', namespace]);
    try {
      await run(ip, ['-n', namespace, 'link', 'set', 'lo', 'up']);
      const { stdout } = await run(ip, ['netns', 'exec', namespace, process.execPath, TSX, SCENARIO]);
      expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({ packets: 0, servedAfterwards: true });
    } finally {
      await run(ip, ['netns', 'delete', namespace]);
    }
  });
});
