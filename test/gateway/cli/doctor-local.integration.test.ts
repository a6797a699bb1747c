import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SILENT } from '../../../harness/gateway.ts';
import { type PhpPages, startPhp } from '../../../harness/php-pages.ts';
import { type Service, startInference } from '../../../harness/services.ts';
import { WorkerPool } from '../../../inference/pool/pool.ts';
import { spawnWorker } from '../../../inference/pool/spawn.ts';
import { startServer } from '../../../inference/server.ts';
import { cli, doctor, GOOD_SECRET } from '../../support/cli.ts';

const NOWHERE = 'http://127.0.0.1:1';

const SAVE = `<?php header('Content-Type: application/json');
  $given = json_decode(file_get_contents('php://input'), true);
  foreach (['user_id', 'module_id', 'focused_time', 'unfocused_time', 'total_time', 'focus_percentage'] as $field) {
    if (!isset($given[$field])) { echo json_encode(['success' => false, 'error' => "Missing required field: $field"]); exit; }
  }
  file_put_contents(__DIR__ . '/stored', '1'); echo json_encode(['success' => true, 'record_id' => 1]);`;

let dataDir: string;
let inference: Service;
let php: PhpPages;
let base: Record<string, string>;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'relay-doctor-'));
  inference = await startInference({ env: { PATH: process.env.PATH, INFERENCE_WORKERS: '1' }, log: 'ignore' });
  php = await startPhp({
    'save.php': SAVE,
    'fatal.php': '<?php throw new Exception("no database");',
    'login.php': "<?php header('Location: /index.php');",
    'broken.php': '<?php http_response_code(500);',
    'anything.php': '<?php echo json_encode(["success" => true]);',
    'lineage_c.php': `<?php echo json_encode(["success" => false, "error" => "Unknown column 'session_start'"]);`,
  });
  base = {
    RELAY_JWT_SECRET: GOOD_SECRET,
    ALLOWED_ORIGINS: 'https://school.example',
    INFERENCE_URL: `http://127.0.0.1:${inference.port}`,
    DATA_DIR: dataDir,
  };
});

afterAll(async () => {
  await inference?.stop();
  await php?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

describe('doctor: what it finds well', () => {
  it('has no fault to report, ends with 0 and leaves nothing behind', async () => {
    const examined = await doctor(base);
    expect(examined).toMatchObject({ status: 0 });
    expect(examined.codes()).toEqual([]);
    expect(await readdir(dataDir)).toEqual([]);
  });

  it('reads as lines, each fault with how to fix it, and no secret', async () => {
    const { status, out } = await cli(['doctor'], { ...base, INFERENCE_URL: NOWHERE });
    expect(status).toBe(1);
    expect(out).toMatch(/^fault\s+inference .*\[inference_unreachable\]\n\s+→ \S/m);
    expect(out).toContain('1 fault to fix');
    expect(out).not.toContain(GOOD_SECRET);
  });
});

describe('doctor: variables', () => {
  it('an environment that makes no sense: every variable at once, and nothing else is tried', async () => {
    const examined = await doctor({ PORT: 'x', LOG_LEVEL: 'loud' });
    expect(examined.status).toBe(1);
    expect(examined.findings.map(({ message }) => message.split(':')[0])).toEqual(['PORT', 'LOG_LEVEL']);
  });

  it('a misspelt variable is a warning', async () => {
    const examined = await doctor({ ...base, FOCUS_RULES: 'seed' });
    expect(examined.status).toBe(0);
    expect(examined.find('variable_misspelt').mend).toBe('rename FOCUS_RULES to FOCUS_RULE');
  });
});

describe('doctor: secret', () => {
  it.each([
    ['a placeholder', 'please-change-me-before-production', 'secret_weak'],
    ['one letter over and over', 'a'.repeat(40), 'secret_weak'],
    ['white space from a clipboard', `${GOOD_SECRET}\n`, 'secret_has_spaces'],
  ])('%s', async (_name, secret, code) => {
    const examined = await doctor({ ...base, RELAY_JWT_SECRET: secret });
    expect(examined.status).toBe(1);
    expect(examined.find(code).mend).toContain('openssl rand -hex 32');
  });
});

describe('doctor: origins', () => {
  it('pages without HTTPS get no camera', async () => {
    const examined = await doctor({ ...base, ALLOWED_ORIGINS: 'http://school.example' });
    expect(examined.status).toBe(1);
    expect(examined.find('origin_not_https').mend).toContain('https://school.example');
  });

  it('a localhost left from trying is a warning', async () => {
    const examined = await doctor({ ...base, ALLOWED_ORIGINS: 'https://school.example,http://localhost:8080' });
    expect(examined.codes('origins')).toEqual(['origin_loopback']);
    expect(examined.status).toBe(0);
  });

  it('a list of nothing', async () => {
    expect((await doctor({ ...base, ALLOWED_ORIGINS: ',' })).codes('origins')).toEqual(['origins_empty']);
  });
});

describe('doctor: folder of the spool', () => {
  it('one that cannot be written', async () => {
    const file = join(dataDir, 'file');
    await writeFile(file, '');
    const examined = await doctor({ ...base, DATA_DIR: join(file, 'data') });
    await rm(file);
    expect(examined.status).toBe(1);
    expect(examined.find('data_dir_unusable').message).toContain('ENOTDIR');
  });

  it('finds damaged files of DATA_DIR, and those that were set aside', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'relay-doctor-damaged-'));
    await writeFile(join(folder, 'spool.db'), Buffer.alloc(8192, 0x41));
    await writeFile(join(folder, 'open-windows.db.damaged-20260101T000000Z'), 'x');
    const examined = await doctor({ ...base, DATA_DIR: folder });
    await rm(folder, { recursive: true, force: true });
    expect(examined.status).toBe(1);
    expect(examined.codes('data')).toEqual(['file_damaged', 'file_damaged']);
    expect(JSON.stringify(examined)).toContain('open-windows.db.damaged-20260101T000000Z');
    expect(JSON.stringify(examined)).toContain('spool.db is damaged');
  });

  it('one without room for what may have to wait', async () => {
    const examined = await doctor(base, '--spool-mb', '1000000000');
    expect(examined.status).toBe(1);
    expect(examined.find('disk_full').message).toContain('1000000000 MB');
  });
});

describe('doctor: inference', () => {
  it('nothing listens there', async () => {
    expect((await doctor({ ...base, INFERENCE_URL: NOWHERE })).codes('inference')).toEqual(['inference_unreachable']);
  });

  it('no host of that name', async () => {
    const examined = await doctor({ ...base, INFERENCE_URL: 'http://inference.invalid:5051' });
    expect(examined.find('inference_unreachable').message).toMatch(/no host of that name|cannot be looked up/);
  });

  it('something else answers there', async () => {
    expect((await doctor({ ...base, INFERENCE_URL: php.url })).codes('inference')).toEqual(['inference_not_there']);
  });

  it('it is there, but none of its workers is ready', async () => {
    const none = new Uint8Array();
    const files = { detector: none, observedMesh: none };
    const spawn = () => spawnWorker({ engine: 'onnx', files });
    const limits = { workers: 1, queueLimit: 1, hangMs: 1000, startMs: 1000 };
    const pool = new WorkerPool({ ...limits, spawn, onReplaced: () => undefined });
    const server = await startServer({ host: '127.0.0.1', port: 0, pool, logger: SILENT });
    const examined = await doctor({ ...base, INFERENCE_URL: `http://127.0.0.1:${server.port}` });
    await server.close();
    expect(examined.find('inference_not_ready').message).toContain('no_worker_ready');
  });

  it('it says that it is ready, but has no link: another version', async () => {
    const other = await startPhp({ readyz: '{"ready":true,"reasons":[]}' });
    const examined = await doctor({ ...base, INFERENCE_URL: other.url });
    await other.stop();
    expect(examined.find('inference_fails').mend).toContain('same version');
  });

  it('of several, each is checked by itself', async () => {
    const examined = await doctor({ ...base, INFERENCE_URL: `${base.INFERENCE_URL},${NOWHERE}` });
    expect(examined.findings.filter(({ check }) => check === 'inference').map(({ level }) => level)).toEqual([
      'ok',
      'fault',
    ]);
  });

  it('a real picture goes through its models', async () => {
    const examined = await doctor(base);
    expect(examined.findings.find(({ check }) => check === 'inference')?.message).toMatch(
      /answers a picture in [\d.]+ ms/,
    );
  });
});

describe('doctor: PHP endpoint', () => {
  it('one that works refuses the trial and stores nothing', async () => {
    const examined = await doctor({ ...base, PHP_ENDPOINT: `${php.url}save.php` });
    expect(examined.status).toBe(0);
    expect(examined.findings.find(({ check }) => check === 'php')).toMatchObject({ level: 'ok' });
    expect((await fetch(`${php.url}stored`)).status).toBe(404);
  });

  it.each([
    ['fatal.php', 'php_not_json'],
    ['broken.php', 'php_status'],
    ['login.php', 'php_redirects'],
    ['anything.php', 'php_takes_anything'],
    ['lineage_c.php', 'php_broken'],
    ['save.html', 'php_status'],
  ])('%s', async (name, code) => {
    const examined = await doctor({ ...base, TRACKING_SAVE_URL: `${php.url}${name}` });
    expect(examined.status).toBe(1);
    expect(examined.codes('php')).toEqual([code]);
  });

  it('nothing listens there', async () => {
    expect((await doctor({ ...base, PHP_ENDPOINT: `${NOWHERE}/save.php` })).codes('php')).toEqual(['php_unreachable']);
  });
});

describe('doctor: Railway', () => {
  const RAILWAY = { RAILWAY_SERVICE_ID: 'id', RAILWAY_DEPLOYMENT_DRAINING_SECONDS: '20' };

  it('a volume under DATA_DIR and time to drain', async () => {
    const examined = await doctor({ ...base, ...RAILWAY, RAILWAY_VOLUME_MOUNT_PATH: dataDir });
    expect(examined.codes('platform')).toEqual([]);
  });

  it('no volume, or DATA_DIR beside it', async () => {
    expect((await doctor({ ...base, ...RAILWAY })).codes('platform')).toEqual(['data_dir_not_on_volume']);
    const beside = await doctor({ ...base, ...RAILWAY, RAILWAY_VOLUME_MOUNT_PATH: `${dataDir}-other` });
    expect(beside.codes('platform')).toEqual(['data_dir_not_on_volume']);
  });

  it('no time to drain', async () => {
    const env = { RAILWAY_SERVICE_ID: 'id', RAILWAY_VOLUME_MOUNT_PATH: dataDir };
    expect((await doctor({ ...base, ...env })).codes('platform')).toEqual(['drain_too_short']);
  });

  it('no secret: no student could connect', async () => {
    const { RELAY_JWT_SECRET: _secret, ...rest } = base;
    const examined = await doctor({ ...rest, ...RAILWAY, RAILWAY_VOLUME_MOUNT_PATH: dataDir });
    expect(examined.codes('platform')).toEqual(['development_on_railway']);
  });
});
