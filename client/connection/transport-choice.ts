/** What carries the messages. */
export type TransportKind = 'websocket' | 'post';

/** How a connection went, as far as it tells of the network. */
export interface TransportRecord {
  readonly kind: TransportKind;
  readonly startedAtMs: number;
  opened: boolean;
  /** Messages that came, and updates among them: a proxy may let the first through and hold back the others. */
  messages: number;
  updates: number;
  /** Close code; null while it is open, or where nothing but silence ended it. */
  closeCode: number | null;
}

/** A connection that carried updates for so long works. */
const WORKS_AFTER_MS = 10_000;
/** Without any update for longer than this, capture was paused. */
const PAUSED_AFTER_MS = 30_000;

export function newRecord(kind: TransportKind, nowMs: number): TransportRecord {
  return { kind, startedAtMs: nowMs, opened: false, messages: 0, updates: 0, closeCode: null };
}

/** True for a close that the gateway itself has sent, which proves that the transport works. */
function isOfGateway(code: number | null): boolean {
  return code !== null && (code === 1000 || code === 1001 || code >= 4000);
}

/**
 * What a record says of its transport: it works, it does not, or, for one that broke early, that it may not
 * (`short`). Times on one monotonic clock, ms.
 */
export function verdictOf(record: TransportRecord, nowMs: number): 'works' | 'fails' | 'short' {
  const { messages, updates, closeCode, startedAtMs } = record;
  const livedMs = nowMs - startedAtMs;
  if (isOfGateway(closeCode)) return 'works';
  if (messages === 0) return 'fails';
  if (updates === 0) return livedMs >= PAUSED_AFTER_MS ? 'works' : 'fails';
  return livedMs >= WORKS_AFTER_MS ? 'works' : 'short';
}

/**
 * Whether a WebSocket that failed shows that the network carries none: it was open and silent, or was cut although it
 * had carried updates. One that never opened, or was closed before the first update, may have met a gateway that restarts.
 */
export function showsBlocked({ opened, updates, closeCode }: TransportRecord): boolean {
  return updates > 0 || (opened && closeCode === null);
}

/** The transport to try next. `shorts`: connections before this one that broke early, in a row. */
export function nextTransport(
  record: TransportRecord,
  shorts: number,
  nowMs: number,
): { readonly kind: TransportKind; readonly shorts: number } {
  const other = record.kind === 'websocket' ? 'post' : 'websocket';
  switch (verdictOf(record, nowMs)) {
    case 'works':
      return { kind: record.kind, shorts: 0 };
    case 'fails':
      return { kind: other, shorts: 0 };
    case 'short':
      // One may be chance. POSTs have no connection that could be cut: those stay.
      return record.kind === 'websocket' && shorts > 0
        ? { kind: other, shorts: 0 }
        : { kind: record.kind, shorts: shorts + 1 };
  }
}
