import { READER_TOKEN_LIFETIME_S } from '../gateway/auth/reader.ts';
import { DEFAULT_TICKET_MAX_LIFE_S } from '../gateway/auth/ticket.ts';
import { EXPORT_LIMITS, MAX_AT_ONCE, MAX_WAITING } from '../gateway/http/api/reader-limits.ts';
import { MAX_PENDING_CONNECTIONS, MAX_PENDING_PER_ADDRESS } from '../gateway/http/pending-connections.ts';
import { MAX_FAULTS } from '../gateway/session/connection/closing.ts';
import { CONTROL_LIMITS } from '../gateway/session/connection/control-rate.ts';
import { MAX_WAITING_SWITCHES } from '../gateway/session/connection/sections.ts';
import { MAX_DETACHED_PER_STUDENT } from '../gateway/session/detached-sessions.ts';
import { MAX_BUFFERED_BYTES } from '../gateway/session/stream.ts';
import { MAX_CONTROL_CHARS } from '../shared/protocol/control-text.ts';
import { CLOSE, PROTOCOL_FAULTS } from '../shared/protocol/errors.ts';

const LIMITS: readonly (readonly [string, string | number])[] = [
  ['a ticket lives, unless `TICKET_MAX_LIFE_S` says otherwise, at most, s', DEFAULT_TICKET_MAX_LIFE_S],
  ['a reader token lives, s', READER_TOKEN_LIFETIME_S],
  ['connections that wait for their hello', MAX_PENDING_CONNECTIONS],
  ['of one address', MAX_PENDING_PER_ADDRESS],
  ['sessions of one student that wait for a lost connection', MAX_DETACHED_PER_STUDENT],
  ['text messages and pings at once', CONTROL_LIMITS.burst],
  ['and per second for long', CONTROL_LIMITS.perSecond],
  ['characters of a text message', MAX_CONTROL_CHARS],
  ['switches of section that wait for their moment', MAX_WAITING_SWITCHES],
  ['refused messages of one connection', MAX_FAULTS],
  ['bytes that a client may leave unread', MAX_BUFFERED_BYTES],
  ['requests of one reader of reports that are worked on at once', MAX_AT_ONCE],
  ['and that wait for these', MAX_WAITING],
  ['exports of one student for one reader at once, and then one a minute', EXPORT_LIMITS.burst],
];

function between(text: string, name: string, table: string): string {
  const begin = `<!-- ${name}: npm run config-docs -->`;
  const end = `<!-- end of ${name} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/security.md lacks the markers of ${name}`);
  return `${text.slice(0, from + begin.length)}\n\n${table}\n\n${text.slice(to)}`;
}

/** docs/security.md with its tables of limits and codes made anew. Throws when a marker is missing. */
export function securityWithTables(text: string): string {
  const limits = ['| at most | |', '|---|---|', ...LIMITS.map(([what, value]) => `| ${what} | ${value} |`)];
  const codes = Object.entries(PROTOCOL_FAULTS).map(([code, { close, retry }]) => {
    const ends = close === null ? 'no' : `${CLOSE[close]}`;
    return `| \`${code}\` | ${ends} | ${retry ? 'yes' : 'no'} |`;
  });
  const table = ['| code | closes with | the client connects again |', '|---|---|---|', ...codes];
  return between(between(text, 'limits', limits.join('\n')), 'codes', table.join('\n'));
}
