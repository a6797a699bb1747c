import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from '../../../gateway/cli/commands.ts';
import { SECRET } from '../../../harness/gateway.ts';
import { type Product, startProduct } from '../../../harness/product.ts';

let product: Product;

beforeAll(async () => {
  product = await startProduct({ RELAY_JWT_SECRET: SECRET, ALLOWED_ORIGINS: 'https://school.example' });
}, 60_000);

afterAll(() => product?.stop());

async function load(...options: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const status = await runCli(['load', '--url', product.url, '--students', '2', '--minutes', '0.05', ...options], {
    env: { RELAY_JWT_SECRET: SECRET, ALLOWED_ORIGINS: 'https://school.example' },
    now: Date.now,
    out: (text) => out.push(text),
    err: (text) => err.push(text),
  });
  return { status, table: out.join('\n'), faults: err.join('\n') };
}

it('students with real pictures are served, and the table says how', async () => {
  const { status, table, faults } = await load('--p99-ms', '60000', '--served', '1');
  expect(faults).toBe('');
  expect(status).toBe(0);
  expect(table).toMatch(/\| whole \| [1-9]\d*\.\d+ \|/);
}, 60_000);

it('the status is 1 where a threshold does not hold, and the fault is named', async () => {
  const { status, faults } = await load('--p99-ms', '1', '--served', '1');
  expect(status).toBe(1);
  expect(faults).toContain('at most 1 are allowed');
}, 60_000);

it('a gateway that does not let them in is named with what it says', async () => {
  const { status, faults } = await load('--url', 'http://127.0.0.1:1');
  expect(status).toBe(1);
  expect(faults).toContain('load_refused');
});
