import type { Mode } from '../../shared/direction.ts';
import type { ConnectionPhase } from '../connection/link-state.ts';

/** What the line about the connection is made of. */
export interface ConnectionView {
  readonly phase: ConnectionPhase;
  /** Pictures are being taken. */
  readonly capturing: boolean;
  /** Pictures are fewer or smaller than on a good link. */
  readonly slow: boolean;
  readonly lessData: boolean;
  /** Pictures or observations of an outage that are not delivered yet. */
  readonly kept: number;
  /** Where pictures are looked at; null before that is decided. */
  readonly mode: Mode | null;
}

export interface ConnectionWords {
  readonly words: string;
  /** For the small sign at the top of the page. */
  readonly short: string;
  readonly tone: 'good' | 'busy' | 'off';
}

const OFF: ConnectionWords = { words: 'Not connected', short: 'Not connected', tone: 'off' };

/** So many wait on a slow link now and then, for a moment: no news. */
const A_FEW = 5;

/** How the connection is doing, in a student's words. */
export function connectionWords({ phase, capturing, slow, lessData, kept, mode }: ConnectionView): ConnectionWords {
  switch (phase) {
    case 'idle':
    case 'ended':
      return OFF;
    case 'connecting':
      return { words: 'Connecting to the server…', short: 'Connecting…', tone: 'busy' };
    case 'reconnecting':
      return { words: 'Reconnecting, your time is kept', short: 'Reconnecting…', tone: 'busy' };
    case 'connected':
      if (kept > A_FEW) {
        return { words: 'Catching up: what was kept meanwhile is being counted', short: 'Catching up…', tone: 'busy' };
      }
      if (!capturing) return { words: 'Connected. Paused: no pictures are taken', short: 'Paused', tone: 'off' };
      if (mode === 'server' && slow) {
        return { words: 'Your connection is slow: sending fewer pictures', short: 'Slow connection', tone: 'busy' };
      }
      return { words: lessData ? 'Connected, using less data' : 'Connected', short: 'Connected', tone: 'good' };
  }
}
