import { readFile } from 'node:fs/promises';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type * as Declared from '../../client/gaze-relay.d.mts';
import type * as Client from '../../client/index.ts';

/** What a page can reach of an object. */
type Reachable<T> = { [Key in keyof T]: T[Key] };

// Held by the compiler (npm run check): what is declared and what is there must be the same types.
describe('types for pages in TypeScript', () => {
  it('the class has what is declared, no more and no less', () => {
    expectTypeOf<Reachable<Declared.WebcamWebSocket>>().toEqualTypeOf<Reachable<Client.WebcamWebSocket>>();
    expectTypeOf<ConstructorParameters<typeof Declared.WebcamWebSocket>>().toEqualTypeOf<
      ConstructorParameters<typeof Client.WebcamWebSocket>
    >();
  });

  it('so have its options and what it tells', () => {
    expectTypeOf<Declared.WebcamWebSocketOptions>().toEqualTypeOf<Client.WebcamWebSocketOptions>();
    expectTypeOf<Declared.TrackingUpdate>().toEqualTypeOf<Client.TrackingUpdate>();
    expectTypeOf<Declared.TrackingError>().toEqualTypeOf<Client.TrackingError>();
    expectTypeOf<Declared.CameraErrorKind>().toEqualTypeOf<Client.CameraErrorKind>();
    expectTypeOf<Declared.ModeReport>().toEqualTypeOf<Client.ModeReport>();
  });

  it('stand in one file that needs no other', async () => {
    const text = await readFile(new URL('../../client/gaze-relay.d.mts', import.meta.url), 'utf8');
    expect(text).not.toMatch(/^import|from '/m);
    for (const name of ['WebcamWebSocket', 'TrackingUpdate', 'TrackingError', 'WebcamWebSocketOptions']) {
      expect(text).toMatch(new RegExp(`export (class|interface|type) ${name}\\b`));
    }
  });
});
