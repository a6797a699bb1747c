import { describe, expect, it } from 'vitest';
import { developmentTicketUrl, gatewayAddresses } from '../../../client/connection/addresses.ts';
import { parseSectionId } from '../../../client/widget/section.ts';

describe('serverUrl', () => {
  it.each([
    ['ws://127.0.0.1:5000', 'ws://127.0.0.1:5000/v1/stream', 'http://127.0.0.1:5000'],
    ['http://127.0.0.1:5000/', 'ws://127.0.0.1:5000/v1/stream', 'http://127.0.0.1:5000'],
    ['wss://relay.school.example', 'wss://relay.school.example/v1/stream', 'https://relay.school.example'],
    [
      'https://relay.school.example/some/path?x=1',
      'wss://relay.school.example/v1/stream',
      'https://relay.school.example',
    ],
    ['https://relay.school.example/v1/stream', 'wss://relay.school.example/v1/stream', 'https://relay.school.example'],
    ['ws://[::1]:5050', 'ws://[::1]:5050/v1/stream', 'http://[::1]:5050'],
  ])('%s', (serverUrl, streamUrl, httpOrigin) => {
    expect(gatewayAddresses(serverUrl)).toEqual({ streamUrl, httpOrigin });
  });

  it.each(['', 'relay.school.example', 'ftp://relay.school.example', '/relay'])(
    'refuses "%s" and says what to write',
    (url) => {
      expect(() => gatewayAddresses(url)).toThrow(
        expect.objectContaining({ code: 'server_url_invalid', hint: expect.stringContaining('wss://') }),
      );
    },
  );

  it('knows where the development gateway gives tickets', () => {
    expect(developmentTicketUrl('http://localhost:5050', 7, '22')).toBe(
      'http://localhost:5050/dev/ticket?userId=7&moduleId=22',
    );
  });
});

describe('section ids of pages', () => {
  it.each([
    [82, 82],
    ['82', 82],
    [' 7 ', 7],
    [2_147_483_647, 2_147_483_647],
  ])('%j is section %i', (value, id) => expect(parseSectionId(value)).toBe(id));

  it.each([null, undefined, '', 'checkpoint_3', '3a', 0, -1, 1.5, Number.NaN, 2_147_483_648, '0x10', {}, true])(
    '%j is no section',
    (value) => expect(parseSectionId(value)).toBeNull(),
  );
});
