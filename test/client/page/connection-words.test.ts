import { describe, expect, it } from 'vitest';
import { type ConnectionView, connectionWords } from '../../../client/page/connection-words.ts';

const WELL: ConnectionView = {
  phase: 'connected',
  capturing: true,
  slow: false,
  lessData: false,
  kept: 0,
  mode: 'server',
};

describe('words about the connection', () => {
  it.each<[Partial<ConnectionView>, string, string]>([
    [{}, 'Connected', 'good'],
    [{ phase: 'connecting' }, 'Connecting to the server…', 'busy'],
    [{ phase: 'reconnecting' }, 'Reconnecting, your time is kept', 'busy'],
    [{ slow: true }, 'Your connection is slow: sending fewer pictures', 'busy'],
    [{ lessData: true }, 'Connected, using less data', 'good'],
    [{ capturing: false, slow: true }, 'Connected. Paused: no pictures are taken', 'off'],
    [{ kept: 12 }, 'Catching up: what was kept meanwhile is being counted', 'busy'],
    [{ kept: 3 }, 'Connected', 'good'],
    [{ phase: 'reconnecting', kept: 12 }, 'Reconnecting, your time is kept', 'busy'],
    [{ phase: 'ended' }, 'Not connected', 'off'],
  ])('%o: %s', (view, words, tone) => {
    expect(connectionWords({ ...WELL, ...view })).toMatchObject({ words, tone });
  });

  it('do not speak of pictures where none are sent', () => {
    expect(connectionWords({ ...WELL, mode: 'device', slow: true }).words).toBe('Connected');
  });
});
