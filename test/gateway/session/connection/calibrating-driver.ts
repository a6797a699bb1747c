import type { FaceObservation } from '../../../../shared/observation.ts';
import type { ShownPoint } from '../../../../shared/protocol/calibration.ts';
import type { ServerControl } from '../../../../shared/protocol/control.ts';
import { lookingAt, type ReadAs, shownPoints } from '../../../support/calibrating.ts';
import { Driver, newAccount } from './driver.ts';

export const CAMERA = { widthPx: 640, heightPx: 480 };
export const DEVICE = '0b0a3c52-6f1c-4c9a-9a3e-3f0a5d1c7e11';
export const OFF: ReadAs = { gain: 1.1, yawOffsetDeg: 6, pitchOffsetDeg: -7 };
export const EACH_MS = 1000;

/** A student who calibrates. */
export class Calibrating extends Driver {
  static on(deviceId: string | null): Calibrating {
    const driver = new Calibrating();
    driver.admit({ ...newAccount(), deviceId });
    driver.start();
    return driver;
  }

  begin(): void {
    this.dispatch({ type: 'control', message: { type: 'calibrate' } });
  }

  finish(points: ShownPoint[]): void {
    this.dispatch({ type: 'control', message: { type: 'calibrate_finish', points, screen: null } });
  }

  /** Looks at each point in turn, five readings each; `of` says what the camera gives. */
  look(points: readonly ShownPoint[], of: (point: ShownPoint, i: number) => FaceObservation): void {
    points.forEach((point, i) => {
      for (let step = 0; step < 5; step++) {
        this.frame(point.fromMs + step * 190);
        this.answer(of(point, i));
      }
    });
  }

  /** The newest message of a kind. */
  told<T extends ServerControl['type']>(type: T): Extract<ServerControl, { type: T }> | undefined {
    const messages = this.all('send').map(({ message }) => message);
    return messages.filter((message): message is Extract<ServerControl, { type: T }> => message.type === type).at(-1);
  }

  get account() {
    if (this.state.phase !== 'tracking') throw new Error(`not tracking but ${this.state.phase}`);
    return this.state.account;
  }
}

/** What the camera gives of a student who looks at the point. */
export const at = (point: ShownPoint, as: ReadAs = OFF) => lookingAt(point.across, point.down, CAMERA, as);

/** A student who has looked at all five points. */
export function calibrated(deviceId: string | null = DEVICE, as: ReadAs = OFF): Calibrating {
  const driver = Calibrating.on(deviceId);
  const points = shownPoints(1000, EACH_MS);
  driver.begin();
  driver.look(points, (point) => at(point, as));
  driver.finish(points);
  return driver;
}

/** All points shown, the finish sent, and one frame of the last point still being inferred. */
export function finishedEarly(): Calibrating {
  const driver = Calibrating.on(DEVICE);
  const points = shownPoints(1000, EACH_MS);
  driver.begin();
  driver.look(points, (point) => at(point));
  driver.frame(5990);
  driver.finish(points);
  return driver;
}
