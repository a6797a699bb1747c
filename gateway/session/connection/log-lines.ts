import type { ConnectionEffect, ConnectionState } from './state.ts';

/** A line of the log. */
export interface LifecycleLine {
  readonly fields: Readonly<Record<string, string | number | null>>;
  readonly message: string;
  /** The kind by which the line is sampled, where clients without a ticket can cause any number of such lines; else null. */
  readonly sampledAs: string | null;
}

function sessionOf(state: ConnectionState): { readonly sessionId: string; readonly epoch: number } | null {
  if (!('account' in state)) return null;
  const { sessionId, epoch } = state.account;
  return { sessionId, epoch };
}

/**
 * What one step means for a session's life, for the log: nothing for a frame. That a session opens, is resumed, waits
 * and ends is logged where sessions are kept.
 */
export function lifecycleLines(
  before: ConnectionState,
  after: ConnectionState,
  effects: readonly ConnectionEffect[],
): readonly LifecycleLine[] {
  const lines: LifecycleLine[] = [];
  if (after.phase === 'tracking' && before.phase === 'ready') {
    const { mode, sectionId } = after.account;
    lines.push({ fields: { ...sessionOf(after), mode, sectionId }, message: 'tracking began', sampledAs: null });
  }
  if (after.phase === 'ready' && (before.phase === 'tracking' || before.phase === 'stopping')) {
    lines.push({ fields: { ...sessionOf(after) }, message: 'tracking stopped', sampledAs: null });
  }
  for (const effect of effects) {
    if (effect.type !== 'close') continue;
    const session = sessionOf(before);
    lines.push({
      fields: { ...session, code: effect.reason, closeCode: effect.code },
      message: session === null ? 'a connection was not admitted' : 'a connection was ended',
      sampledAs: session === null ? effect.reason : null,
    });
  }
  return lines;
}
