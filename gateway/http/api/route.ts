import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import * as z from 'zod';
import { RelayError } from '../../../shared/errors.ts';
import { dateAt } from '../../../shared/report/range.ts';
import type { Reach } from '../../auth/reach.ts';
import {
  isStaff,
  type Reader,
  type ReaderCheck,
  reachOfReader,
  readerOf,
  readerOfTicket,
  requireAdmin,
  requireScope,
  requireStaff,
} from '../../auth/reader.ts';
import type { ReaderRevocations } from '../../auth/revoked-readers.ts';
import type { TicketSpender } from '../../auth/spent-tickets.ts';
import type { Secret } from '../../auth/tokens.ts';
import type { PrivacyRequests } from '../../privacy/requests.ts';
import type { ReportStore } from '../../reports/port.ts';
import type { LiveSession } from '../../session/live.ts';
import type { SessionReport } from '../../store/port.ts';
import { type CsvColumn, csvText } from '../csv.ts';
import { HttpFault } from '../faults.ts';
import type { Audit, AuditDependencies } from './audit.ts';
import type { ReaderLimits } from './reader-limits.ts';

/** What the API's routes work with. */
export interface ApiDependencies extends AuditDependencies {
  readonly secret: Secret;
  readonly ticketMaxLifeS: number;
  readonly spentTickets: TicketSpender;
  /** Readers whose tokens are revoked, at all gateways. Default: those revoked here. */
  readonly revoked?: ReaderRevocations | undefined;
  /** Fewest students of whom figures are shown to a teacher whose ticket names no class and no module. */
  readonly minGroup: number;
  readonly newId: () => string;
  readonly reports: ReportStore;
  readonly findReport: (sessionId: string) => Promise<SessionReport | null>;
  /** Students connected now, at all gateways. */
  readonly listLive: () => Promise<readonly LiveSession[]>;
  readonly privacy: PrivacyRequests;
}

/** The same with who is refused by name, and how much each may ask for. */
export type RouteDependencies = ApiDependencies & ReaderCheck & { readonly limits: ReaderLimits };

export interface ApiRequest<Params, Query> {
  readonly reader: Reader;
  /** Whose data this reader may see; every question to the reports takes it. */
  readonly reach: Reach;
  readonly params: Params;
  readonly query: Query;
  /** CSV was asked for: all rows, not a page of them. */
  readonly everything: boolean;
}

type Shape = z.core.$ZodLooseShape;

/**
 * Whom a route is for. `staff`: teachers and admins; `own`: the same, students for themselves; `subject`: admins, students for
 * themselves; `ticket`: each that has a fresh ticket, which is spent by it; `admin`: admins with a fresh ticket, for a token only reads.
 */
export type Readers = 'staff' | 'own' | 'subject' | 'ticket' | 'admin';
type Method = 'get' | 'post' | 'delete';

export interface RouteOptions<P extends Shape, Q extends Shape, R extends z.ZodType, Row> {
  readonly method?: Method;
  /** With `{parameters}`, as in OpenAPI. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly readers: Readers;
  /** Open to a teacher who may see figures of groups alone: sums over whole groups, no name, no class, no student. */
  readonly groups?: true;
  readonly params: P;
  readonly query: Q;
  readonly response: R;
  readonly csv?: {
    readonly columns: readonly CsvColumn<Row>[];
    readonly rows: (result: z.output<R>) => readonly Row[];
    /** File name without `.csv`. */
    readonly name: (request: { readonly params: z.output<z.ZodObject<P>>; readonly result: z.output<R> }) => string;
  };
  readonly handle: (
    deps: RouteDependencies,
    request: ApiRequest<z.output<z.ZodObject<P>>, z.output<z.ZodObject<Q>>>,
  ) => Promise<z.output<R>>;
  /** Students whose data is in the answer, for the audit line; `none` where no answer is about a named student. */
  readonly students:
    | 'none'
    | ((answer: {
        readonly request: ApiRequest<z.output<z.ZodObject<P>>, z.output<z.ZodObject<Q>>>;
        readonly result: z.output<R>;
      }) => readonly number[]);
}

/** A route as the app and the OpenAPI document see it. */
export interface ApiRoute {
  readonly method: Method;
  readonly path: string;
  readonly summary: string;
  readonly description: string | null;
  readonly readers: Readers;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  readonly response: z.ZodType;
  readonly hasCsv: boolean;
  readonly answer: (deps: RouteDependencies, audit: Audit, context: Context) => Promise<Response>;
}

const BAD_REQUESTS = new Set(['range_reversed', 'range_too_long']);

function parsed<T extends z.ZodType>(schema: T, given: unknown): z.output<T> {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const sentences = result.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? `unknown parameter ${issue.keys.join(', ')}`
      : `${issue.path.join('.')}: ${issue.message}`,
  );
  throw new HttpFault(400, 'parameter_invalid', sentences.join('; '));
}

async function admitted(readers: Readers, authorization: string | undefined, deps: RouteDependencies): Promise<Reader> {
  const identify = readers === 'ticket' || readers === 'admin' ? readerOfTicket : readerOf;
  const reader = await identify(authorization, deps, deps.now());
  requireScope(reader);
  const { ticket } = reader;
  if (readers === 'ticket' && ticket !== null && !(await deps.spentTickets.spend(ticket, deps.now()))) {
    throw new RelayError('ticket_spent', 'this ticket was used before; fetch a fresh one');
  }
  if (readers === 'staff') requireStaff(reader);
  if (readers === 'admin' || (readers === 'subject' && isStaff(reader))) requireAdmin(reader);
  return reader;
}

/** Gives a place back once the answer is sent: what waits for a slow peer takes memory too. */
function leaveOnceSent(context: Context, leave: () => void): void {
  const outgoing = (context.env as Partial<HttpBindings> | undefined)?.outgoing;
  if (outgoing === undefined || outgoing.closed) leave();
  else outgoing.once('close', leave);
}

/** Filters that cut groups into parts. */
const GROUP_PARTS = ['class', 'userId'];

/** Whose data the reader may see. Throws RelayError `details_not_allowed` where that is whole groups and the question is about less. */
async function reachFor(
  deps: RouteDependencies,
  reader: Reader,
  asked: { readonly open: boolean; readonly query: object },
): Promise<Reach> {
  const reach = reachOfReader(reader, { minGroup: deps.minGroup, before: '' });
  if (reach.kind !== 'groups') return reach;
  if (!asked.open || GROUP_PARTS.some((name) => name in asked.query)) {
    throw new RelayError(
      'details_not_allowed',
      `your ticket names no classes and no modules: you may read figures of modules with at least ${deps.minGroup} students a day`,
    );
  }
  const nowMs = deps.now();
  return { ...reach, before: dateAt(nowMs, await deps.reports.utcOffsetMs(nowMs)) };
}

/** Makes a route: checks who asks and what for, answers as JSON or CSV, writes the audit line. */
export function defineRoute<P extends Shape, Q extends Shape, R extends z.ZodType, Row>(
  options: RouteOptions<P, Q, R, Row>,
): ApiRoute {
  const { csv } = options;
  const params = z.strictObject(options.params);
  const query = z.strictObject(options.query);
  const format = z.enum(csv === undefined ? ['json'] : ['json', 'csv']).default('json');
  const answerTo = async (
    reader: Reader,
    deps: RouteDependencies,
    audit: Audit,
    context: Context,
  ): Promise<Response> => {
    const { format: asked, ...given } = context.req.query();
    const reach = await reachFor(deps, reader, { open: options.groups === true, query: given });
    const request = {
      reader,
      reach,
      params: parsed(params, context.req.param()) as z.output<z.ZodObject<P>>,
      query: parsed(query, given) as z.output<z.ZodObject<Q>>,
      everything: parsed(z.object({ format }), { format: asked }).format === 'csv',
    };
    const result = await options.handle(deps, request).catch((error: unknown) => {
      if (error instanceof RelayError && BAD_REQUESTS.has(error.code)) {
        throw new HttpFault(400, error.code, error.message);
      }
      throw error;
    });
    if (options.students !== 'none') audit(reader, options.path, options.students({ request, result }));
    context.header('cache-control', 'no-store');
    if (!request.everything || csv === undefined) return context.json(result as object);
    const name = csv.name({ params: request.params, result }).replace(/[^\w.-]+/g, '-');
    context.header('content-type', 'text/csv; charset=utf-8');
    context.header('content-disposition', `attachment; filename="${name}.csv"`);
    return context.body(csvText(csv.columns, csv.rows(result)));
  };
  return {
    method: options.method ?? 'get',
    path: options.path,
    summary: options.summary,
    description: options.description ?? null,
    readers: options.readers,
    params,
    query,
    response: options.response,
    hasCsv: csv !== undefined,
    async answer(deps, audit, context) {
      const reader = await admitted(options.readers, context.req.header('authorization'), deps);
      const leave = await deps.limits.enter(reader.userId);
      try {
        return await answerTo(reader, deps, audit, context);
      } finally {
        leaveOnceSent(context, leave);
      }
    },
  };
}
