import type { CalibrationStatus } from '../../shared/protocol/calibration.ts';
import { statusLabel } from '../calibration/labels.ts';
import type { CalibrationResult } from '../calibration/result.ts';
import { byId, setText } from './dom.ts';

/** The part of the tracker that the panel needs. */
export interface Calibratable {
  readonly calibration: CalibrationStatus | null;
  calibrate(): Promise<CalibrationResult>;
}

/** The line shows the age of the calibration. */
const AGE_EVERY_MS = 30_000;

/** The button that sets the screen up, and the line that says whether it is. */
export class SetupPanel {
  readonly #button = byId('set-up', HTMLButtonElement);
  readonly #line = byId('set-up-line', HTMLElement);
  readonly #tracker: () => Calibratable;

  /** `tracker` is a function because the tracker is created after the panel. */
  constructor(tracker: () => Calibratable) {
    this.#tracker = tracker;
    this.#button.addEventListener('click', () => void this.#setUp());
    setInterval(() => this.show(), AGE_EVERY_MS);
  }

  /** Shows the current state. */
  show(): void {
    const { calibration } = this.#tracker();
    setText(this.#line, statusLabel(calibration));
    setText(this.#button, calibration === null ? 'Set up my screen' : 'Set up again');
  }

  async #setUp(): Promise<void> {
    const { outcome } = await this.#tracker().calibrate();
    if (outcome === 'unavailable')
      setText(this.#line, 'The screen can be set up while the camera is on and connected.');
    else this.show();
  }
}
