import { describe, expect, it } from 'vitest';
import type { CalibrationAnswer } from '../../../shared/protocol/calibration.ts';
import { createHarness } from '../support/harness.ts';

const DEVICE = '0b0a3c52-6f1c-4c9a-9a3e-3f0a5d1c7e11';
const REFUSED: CalibrationAnswer = { type: 'calibration_refused', reason: 'not_open', points: [], message: 'why' };

describe('a calibration over the connection', () => {
  it('K-7 hello says which device it is', async () => {
    const { goLive } = createHarness({ device: DEVICE });
    const socket = await goLive();
    expect(socket.controls[0]).toMatchObject({ type: 'hello', device: DEVICE });
  });

  it('K-1 is spoken of while capture runs alone', async () => {
    const { connection, goLive } = createHarness();
    expect(connection.sendCalibration({ type: 'calibrate' })).toBe(false);
    const socket = await goLive();
    expect(connection.sendCalibration({ type: 'calibrate' })).toBe(true);
    expect(socket.controls.at(-1)).toEqual({ type: 'calibrate' });
    void connection.stop();
    expect(connection.sendCalibration({ type: 'calibrate' })).toBe(false);
  });

  it('K-3 the answer is handed on', async () => {
    const answers: CalibrationAnswer[] = [];
    const { goLive } = createHarness({ onCalibration: (answer) => answers.push(answer) });
    const socket = await goLive();
    socket.say(REFUSED);
    expect(answers).toEqual([REFUSED]);
  });
});
