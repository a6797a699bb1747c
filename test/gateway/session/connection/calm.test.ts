import { describe, expect, it } from 'vitest';
import { CALM_FPS } from '../../../../gateway/session/connection/calm.ts';
import { eyeSeen, faceAtScreen, NO_FACE } from '../../../../harness/observations.ts';
import type { Mode } from '../../../../shared/direction.ts';
import type { FaceObservation } from '../../../../shared/observation.ts';
import { Driver, LIMITS, newAccount } from './driver.ts';

const AWAY = faceAtScreen({ headYawDeg: 45 });
const SHUT = faceAtScreen({ imageLeftEye: eyeSeen(0, 0, 0.04), imageRightEye: eyeSeen(0, 0, 0.04) });

/** A tracking client that agreed on `calm` and sends a picture every 200 ms. */
class Student {
  readonly driver: Driver;
  readonly #mode: Mode;
  #captureMs = 0;

  constructor(offered: string[] = ['calm'], mode: Mode = 'server') {
    this.driver = new Driver();
    this.driver.features = ['calm'];
    this.driver.hello(offered);
    this.driver.dispatch({ type: 'admitted', account: newAccount(), resumed: false, resumeToken: 'r', lateToken: 'l' });
    this.driver.start(0, null, mode);
    this.#mode = mode;
  }

  /** Shows the same for this long. Yields the rate that the last update asks for. */
  show(observation: FaceObservation, forMs: number): number {
    for (const untilMs = this.#captureMs + forMs; this.#captureMs < untilMs; ) {
      this.#captureMs += 200;
      if (this.#mode === 'device') this.driver.observation(this.#captureMs, observation);
      else {
        this.driver.frame(this.#captureMs);
        this.driver.answer(observation);
      }
    }
    return this.driver.last('update').update.maxFps;
  }
}

describe('U-8 the rate that is asked for', () => {
  it.each(['server', 'device'] as const)(
    'falls in %s mode once head and direction have been steady for a second',
    (mode) => {
      const student = new Student(['calm'], mode);
      expect(student.show(faceAtScreen(), 600)).toBe(LIMITS.maxFps);
      expect(student.show(faceAtScreen(), 1600)).toBe(CALM_FPS);
    },
  );

  it('falls for an empty chair, too', () => {
    expect(new Student().show(NO_FACE, 3000)).toBe(CALM_FPS);
  });

  it.each(['server', 'device'] as const)(
    'rises in %s mode with the first picture against the direction, and stays up until the change has settled',
    (mode) => {
      const student = new Student(['calm'], mode);
      student.show(faceAtScreen(), 3000);
      expect(student.show(AWAY, 200)).toBe(LIMITS.maxFps);
      expect(student.show(AWAY, 600)).toBe(LIMITS.maxFps);
      expect(student.show(AWAY, 2000)).toBe(CALM_FPS);
    },
  );

  it('rises while the head moves, though the direction stays', () => {
    const student = new Student();
    student.show(faceAtScreen(), 3000);
    expect(student.show(faceAtScreen({ headYawDeg: 9 }), 200)).toBe(LIMITS.maxFps);
  });

  it('rises for a blink and falls right after it', () => {
    const student = new Student();
    student.show(faceAtScreen(), 3000);
    expect(student.show(SHUT, 200)).toBe(LIMITS.maxFps);
    expect(student.show(faceAtScreen(), 400)).toBe(CALM_FPS);
  });

  it('stays as it is for a client that does not compare pictures', () => {
    expect(new Student([]).show(faceAtScreen(), 3000)).toBe(LIMITS.maxFps);
  });
});
