import { describe, expect, it } from 'vitest';
import { type ConnectionView, connectionLabels } from '../../../client/page/connection-labels.ts';

const WELL: ConnectionView = {
  phase: 'connected',
  capturing: true,
  slow: false,
  lessData: false,
  kept: 0,
  mode: 'server',
};

describe('the connection for the student', () => {
  it.each<[Partial<ConnectionView>, string, string]>([
    [{}, 'Connected', 'good'],
    [{ phase: 'connecting' }, 'Connecting to the server…', 'busy'],
    [{ phase: 'reconnecting' }, 'Reconnecting. Your time is saved', 'busy'],
    [{ slow: true }, 'Your connection is slow: sending fewer pictures', 'busy'],
    [{ lessData: true }, 'Connected, using less data', 'good'],
    [{ capturing: false, slow: true }, 'Connected. Paused: no pictures are taken', 'off'],
    [{ kept: 12 }, 'Catching up: sending what was captured while offline', 'busy'],
    [{ kept: 3 }, 'Connected', 'good'],
    [{ phase: 'reconnecting', kept: 12 }, 'Reconnecting. Your time is saved', 'busy'],
    [{ phase: 'ended' }, 'Not connected', 'off'],
  ])('%o: %s', (view, text, tone) => {
    expect(connectionLabels({ ...WELL, ...view })).toMatchObject({ text, tone });
  });

  it('do not speak of pictures where none are sent', () => {
    expect(connectionLabels({ ...WELL, mode: 'device', slow: true }).text).toBe('Connected');
  });
});
