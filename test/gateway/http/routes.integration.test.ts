import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_ROUTES } from '../../../gateway/http/api/mount.ts';
import { startTestGateway, type TestGateway } from '../../../harness/gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway?.dispose());

const get = (path: string, init: RequestInit = {}) => fetch(new URL(path, gateway.url), init);

async function read<T>(): Promise<T> {
  return (await (await get('/api/v1/openapi.json')).json()) as T;
}

interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<
    string,
    Record<string, { readonly operationId: string; readonly parameters: { name: string }[] }>
  >;
}

describe('the OpenAPI document', () => {
  it('is valid by the official schema of OpenAPI 3.1', async () => {
    const validator = new Validator();
    const result = await validator.validate(await read<Record<string, unknown>>());
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
    expect(validator.version).toBe('3.1');
  });

  it('lists every route of the app under /api/v1 with its parameters, and needs no ticket', async () => {
    const document = await read<OpenApi>();
    expect(document.openapi).toBe('3.1.0');
    const listed = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((m) => `${m} ${path}`),
    );
    expect(listed.toSorted()).toEqual(API_ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted());
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    const parameters = document.paths['/api/v1/students']?.get?.parameters.map(({ name }) => name);
    expect(parameters).toEqual([
      'from',
      'to',
      'class',
      'moduleId',
      'search',
      'order',
      'way',
      'page',
      'pageSize',
      'format',
    ]);
  });
});

describe('parameters', () => {
  it.each([
    ['/api/v1/overview?from=yesterday', 'parameter_invalid'],
    ['/api/v1/overview?from=2026-02-30', 'parameter_invalid'],
    ['/api/v1/overview?from=2026-03-08&to=2026-03-02', 'range_reversed'],
    ['/api/v1/overview?from=2020-01-01&to=2026-03-02', 'range_too_long'],
    ['/api/v1/overview?timeZone=Asia/Manila', 'parameter_invalid'],
    ['/api/v1/overview?formatt=csv', 'parameter_invalid'],
    ['/api/v1/overview?format=xlsx', 'parameter_invalid'],
    ['/api/v1/live?from=2026-03-02', 'parameter_invalid'],
    ['/api/v1/students?page=0', 'parameter_invalid'],
    ['/api/v1/students?pageSize=100000', 'parameter_invalid'],
    ['/api/v1/students?order=password', 'parameter_invalid'],
    ['/api/v1/students/abc', 'parameter_invalid'],
    ['/api/v1/students/99999999999', 'parameter_invalid'],
    ['/api/v1/modules/3/sections/last', 'parameter_invalid'],
    ['/api/v1/modules/3/sections/32/timeline?stepMs=1', 'parameter_invalid'],
    ['/api/v1/sessions/7', 'session_id_invalid'],
    ['/api/v1/me?format=csv', 'parameter_invalid'],
  ])('%s is refused with %s', async (path, code) => {
    const authorization = `Bearer ${await gateway.ticket(9, { role: 'teacher' })}`;
    const response = await get(path, { headers: { authorization } });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code } });
  });
});

describe('methods', () => {
  it.each(['PUT', 'DELETE', 'POST'])('%s where nothing takes it: 405, with what is taken', async (method) => {
    const response = await get('/api/v1/days', { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET']);
    expect(await response.json()).toMatchObject({ error: { code: 'method_not_allowed' } });
  });
});

describe('pages', () => {
  it('/reports is the dashboard, under the same content security policy as the other pages', async () => {
    const response = await get('/reports');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(await response.text()).toContain('js/dashboard.js');
    expect((await get('/reports/')).url).toBe(new URL('/reports', gateway.url).href);
  });
});
