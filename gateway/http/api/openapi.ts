import * as z from 'zod';
import type { ApiRoute } from './route.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

const READERS = {
  staff: 'For teachers, of what they teach, and admins.',
  own: 'Students get their own, teachers what they teach, admins anybody’s.',
  subject: 'Students get their own, admins anybody’s.',
  ticket: 'For everybody with a fresh ticket.',
  admin: 'For admins with a fresh ticket.',
} as const;

const FAULTS = {
  400: 'A parameter is wrong: parameter_invalid, range_reversed, range_too_long, session_id_invalid',
  401: 'No valid ticket or token: unauthorized',
  403: 'Not for this reader: role_not_allowed, student_not_allowed, details_not_allowed',
  404: 'Nothing of that id: student_unknown, module_unknown, section_unknown, session_unknown',
  409: 'Not now: student_connected',
  429: 'Too much at once of this reader: too_many_requests',
  503: 'The database or NATS is unavailable: store_unreachable, nats_unreachable',
} as const;

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io });
  return rest;
}

function parametersOf(schema: z.ZodObject, place: 'path' | 'query'): readonly JsonSchema[] {
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as {
    properties?: Record<string, JsonSchema>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

const FORMAT = {
  name: 'format',
  in: 'query',
  required: false,
  description: 'csv: RFC 4180 in UTF-8 with a byte order mark, all rows whatever the page',
  schema: { type: 'string', enum: ['json', 'csv'], default: 'json' },
};

function operationOf(route: ApiRoute): JsonSchema {
  const csv = route.hasCsv ? { 'text/csv': { schema: { type: 'string' } } } : {};
  const faults = Object.entries(FAULTS)
    .filter(([status]) => status !== '409' || route.method === 'delete')
    .map(([status, description]) => [
      status,
      { description, content: { 'application/json': { schema: { $ref: '#/components/schemas/Fault' } } } },
    ]);
  return {
    operationId: `${route.method}${route.path
      .replace('/api/v1', '')
      .replace(/[^a-z]+(.)/gi, (_all, letter: string) => letter.toUpperCase())
      .replace(/[^a-z]/gi, '')}`,
    summary: route.summary,
    description: [route.description, READERS[route.readers]].filter((text) => text !== null).join(' '),
    parameters: [
      ...parametersOf(route.params, 'path'),
      ...parametersOf(route.query, 'query'),
      ...(route.hasCsv ? [FORMAT] : []),
    ],
    responses: {
      200: {
        description: route.summary,
        content: { 'application/json': { schema: schemaOf(route.response, 'output') }, ...csv },
      },
      ...Object.fromEntries(faults),
    },
  };
}

/** The OpenAPI 3.1 document of these routes, made from the schemas that check their parameters and answers. */
export function openApiDocument(routes: readonly ApiRoute[]): JsonSchema {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'gaze-relay reports',
      version: '1.0.0',
      description: 'Focus reports. Durations in whole milliseconds, moments in UTC milliseconds, shares from 0 to 1.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ ticket: [] }],
    paths,
    components: {
      securitySchemes: {
        ticket: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: "The school's ticket, or a token from /api/v1/reader-token",
        },
      },
      schemas: {
        Fault: schemaOf(z.object({ error: z.object({ code: z.string(), message: z.string() }) }), 'output'),
      },
    },
  };
}
