import type { Mode } from '../../shared/direction.ts';
import type { ConnectionPhase } from '../connection/link-state.ts';

/** What the connection's line depends on. */
export interface ConnectionView {
  readonly phase: ConnectionPhase;
  /** Pictures are being taken. */
  readonly capturing: boolean;
  /** Pictures are fewer or smaller than on a good link. */
  readonly slow: boolean;
  readonly lessData: boolean;
  /** Pictures or observations of an outage that are not delivered yet. */
  readonly kept: number;
  /** Where pictures are analysed; null before that is decided. */
  readonly mode: Mode | null;
}

export interface ConnectionLabels {
  readonly text: string;
  /** For the badge at the top of the page. */
  readonly short: string;
  readonly tone: 'good' | 'busy' | 'off';
}

const OFF: ConnectionLabels = { text: 'Not connected', short: 'Not connected', tone: 'off' };

/** On a slow link up to this many are queued for a moment: not worth a message. */
const USUAL_QUEUE = 5;

/** The connection's state, for the student. */
export function connectionLabels({ phase, capturing, slow, lessData, kept, mode }: ConnectionView): ConnectionLabels {
  switch (phase) {
    case 'idle':
    case 'ended':
      return OFF;
    case 'connecting':
      return { text: 'Connecting to the server…', short: 'Connecting…', tone: 'busy' };
    case 'reconnecting':
      return mode === 'device'
        ? { text: 'No connection. Your time is kept on this device', short: 'Kept on this device', tone: 'busy' }
        : { text: 'Reconnecting. Your time is saved', short: 'Reconnecting…', tone: 'busy' };
    case 'connected':
      if (kept > USUAL_QUEUE) {
        return { text: 'Catching up: sending what was captured while offline', short: 'Catching up…', tone: 'busy' };
      }
      if (!capturing) return { text: 'Connected. Paused: no pictures are taken', short: 'Paused', tone: 'off' };
      if (mode === 'server' && slow) {
        return { text: 'Your connection is slow: sending fewer pictures', short: 'Slow connection', tone: 'busy' };
      }
      return { text: lessData ? 'Connected, using less data' : 'Connected', short: 'Connected', tone: 'good' };
  }
}
