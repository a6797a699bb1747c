import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { brokenRule, circlesOf, contributingWithMap, edgesOf, faultsOf } from '../../scripts/imports/check.ts';

const edge = (from: string, to: string) => ({ from, to });

describe('the map of imports', () => {
  it('reads imports of values, of types, of effects, and at run time; packages and missing files are none of it', () => {
    const sources = new Map([
      ['client/a.ts', "import { b } from './b.ts';\nimport type { C } from '../shared/c.ts';\nimport 'zod';"],
      ['client/b.ts', "import './a.ts';\nexport { c } from '../shared/c.ts';\nawait import('./none.ts');"],
      ['shared/c.ts', "let d: typeof import('../client/b.ts');"],
    ]);
    expect(edgesOf(sources)).toEqual([
      edge('client/a.ts', 'client/b.ts'),
      edge('client/a.ts', 'shared/c.ts'),
      edge('client/b.ts', 'client/a.ts'),
      edge('client/b.ts', 'shared/c.ts'),
      edge('shared/c.ts', 'client/b.ts'),
    ]);
  });

  it.each([
    ['shared/a.ts', 'client/b.ts'],
    ['client/lib/a.ts', 'gateway/lib/b.ts'],
    ['client/connection/a.ts', 'client/widget/b.ts'],
    ['gateway/store/mysql/a.ts', 'gateway/delivery/b.ts'],
    ['gateway/store/a.ts', 'gateway/server.ts'],
    ['inference/engine/a.ts', 'gateway/lib/b.ts'],
    ['bench/gateway.ts', 'test/support/b.ts'],
    ['bench/gateway.ts', 'scripts/demo.ts'],
    ['scripts/demo.ts', 'bench/lib/b.ts'],
    ['harness/a.ts', 'scripts/demo.ts'],
    ['scripts/build.ts', 'harness/a.ts'],
    ['test/gateway/a.test.ts', 'bench/lib/b.ts'],
    ['test/gateway/a.test.ts', 'test/client/support/b.ts'],
  ])('refuses that %s imports %s, and names both', (from, to) => {
    expect(brokenRule(edge(from, to))).toContain(`${from} > ${to}: `);
  });

  it.each([
    ['client/widget/a.ts', 'client/connection/pacing/b.ts'],
    ['gateway/server.ts', 'gateway/eyelearn/php/b.ts'],
    ['gateway/session/connection/a.ts', 'gateway/session/b.ts'],
    ['bench/gateway.ts', 'scripts/build.ts'],
    ['bench/lib/a.ts', 'scripts/models/b.ts'],
    ['test/bench/a.test.ts', 'bench/lib/b.ts'],
    ['vitest.config.ts', 'test/support/b.ts'],
  ])('allows that %s imports %s', (from, to) => {
    expect(brokenRule(edge(from, to))).toBeNull();
  });

  it('finds circles of files', () => {
    const edges = [edge('a.ts', 'b.ts'), edge('b.ts', 'c.ts'), edge('c.ts', 'b.ts'), edge('a.ts', 'c.ts')];
    expect(circlesOf(edges)).toEqual([['b.ts', 'c.ts', 'b.ts']]);
    expect(faultsOf(edges, [])).toEqual(['import circle: b.ts > c.ts > b.ts']);
  });

  it('takes an exception only while it is needed', () => {
    const edges = [edge('shared/a.ts', 'client/b.ts')];
    expect(faultsOf(edges, ['shared/a.ts > client/b.ts'])).toEqual([]);
    expect(faultsOf([], ['shared/a.ts > client/b.ts'])).toEqual([
      'shared/a.ts > client/b.ts: no longer imported, take it out of EXCEPTIONS',
    ]);
  });

  it('is the one in CONTRIBUTING.md (npm run imports -- --write renews it)', () => {
    const text = readFileSync(new URL('../../CONTRIBUTING.md', import.meta.url), 'utf8');
    expect(contributingWithMap(text)).toBe(text);
  });
});
