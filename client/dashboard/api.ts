import type { z } from 'zod';
import { RelayError } from '../../shared/errors.ts';
import type { Access } from './access.ts';

/** Values for the address of a request; null and undefined are left out. */
export type Query = Readonly<Record<string, string | number | null | undefined>>;

function urlOf(path: string, query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [[name, String(value)]],
  );
  const text = new URLSearchParams(given).toString();
  return text === '' ? path : `${path}?${text}`;
}

function refusal(body: unknown, status: number): RelayError {
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : null;
  if (typeof error === 'object' && error !== null && 'code' in error && 'message' in error) {
    return new RelayError(String(error.code), String(error.message));
  }
  return new RelayError('request_failed', `The server answered with status ${status}.`);
}

/** Asks the gateway for reports. */
export class Api {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  /** Rejects with RelayError: `signed_out`, `gateway_unreachable`, `answer_unreadable`, or the gateway's own code. */
  async get<T extends z.ZodType>(schema: T, path: string, query: Query = {}): Promise<z.output<T>> {
    const response = await this.#fetch(urlOf(path, query));
    const body: unknown = await response.json().catch(() => null);
    if (!response.ok) throw refusal(body, response.status);
    const parsed = schema.safeParse(body);
    if (!parsed.success) {
      throw new RelayError('answer_unreadable', 'The server answered with something that is no report.', {
        hint: 'page and server may be of different versions: reload the page',
      });
    }
    return parsed.data;
  }

  /** Has the browser save the CSV form of a report. Rejects as `get` does. */
  async download(path: string, query: Query): Promise<void> {
    const response = await this.#fetch(urlOf(path, { ...query, format: 'csv' }));
    if (!response.ok) throw refusal(await response.json().catch(() => null), response.status);
    const named = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1];
    const url = URL.createObjectURL(await response.blob());
    const link = document.createElement('a');
    link.href = url;
    link.download = named ?? 'report.csv';
    link.click();
    // The download has its own hold on the data once it has begun.
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  async #fetch(url: string): Promise<Response> {
    const first = await this.#send(url);
    if (first.status !== 401) return first;
    // Expired, or the secret was changed: once more with a fresh one.
    this.#access.forget();
    return this.#send(url);
  }

  async #send(url: string): Promise<Response> {
    const token = await this.#access.token();
    try {
      return await fetch(url, { cache: 'no-store', headers: { authorization: `Bearer ${token}` } });
    } catch (cause) {
      throw new RelayError('gateway_unreachable', 'The server cannot be reached. Check the internet connection.', {
        cause,
      });
    }
  }
}
