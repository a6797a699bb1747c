import { describe, expect, it } from 'vitest';
import { CAPTURE, createHarness, welcome } from '../support/harness.ts';

describe('sections', () => {
  it('tells of another section once, with the moment of the capture clock', async () => {
    const { connection, goLive, time } = createHarness();
    const socket = await goLive();
    time.advance(700);
    connection.setSection(90);
    connection.setSection(90);
    expect(socket.controls.slice(2)).toEqual([{ type: 'section', sectionId: 90, atMs: 700 }]);
  });

  it('S-7 tells after an outage of the sections that the student came through, with their moments', async () => {
    const { connection, goLive, nextSocket, time } = createHarness();
    const first = await goLive();
    time.advance(1000);
    first.drop();
    time.advance(500);
    connection.setSection(90);
    time.advance(300);
    connection.setSection(91);
    time.advance(3200);
    const second = await nextSocket();
    second.open();
    second.say(welcome({ resumed: true, clockMs: 1000, epoch: 1 }));
    expect(second.controls.slice(1)).toEqual([
      { type: 'start', ...CAPTURE, atMs: 5000 },
      { type: 'section', sectionId: 90, atMs: 1500 },
      { type: 'section', sectionId: 91, atMs: 1800 },
    ]);
  });

  it('a session that could not be resumed begins in the section the student is in', async () => {
    const { connection, goLive, nextSocket, time } = createHarness();
    const first = await goLive();
    time.advance(1000);
    first.drop();
    connection.setSection(90);
    time.advance(4000);
    const second = await nextSocket();
    second.open();
    second.say(welcome({ resumed: false }));
    expect(second.controls.slice(1)).toEqual([{ type: 'start', ...CAPTURE, sectionId: 90, atMs: 0 }]);
  });
});
