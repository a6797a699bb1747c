import { describe, expect, it } from 'vitest';
import {
  closeCodeOf,
  PROTOCOL_FAULT_NAMES,
  PROTOCOL_FAULTS,
  ProtocolError,
} from '../../../../shared/protocol/errors.ts';
import { Driver } from './driver.ts';

describe('closing', () => {
  const ends = PROTOCOL_FAULT_NAMES.filter((fault) => PROTOCOL_FAULTS[fault].close !== null);
  const phases = [
    ['waits for hello', () => new Driver()],
    ['is ready', () => admitted()],
    ['tracks', () => Driver.tracking()],
    ['stops', () => stopping()],
  ] as const;

  function admitted(): Driver {
    const driver = new Driver();
    driver.admit();
    return driver;
  }

  function stopping(): Driver {
    const driver = Driver.tracking();
    driver.frame(100);
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 200 } });
    return driver;
  }

  it.each(ends.flatMap((fault) => phases.map(([phase, open]) => ({ fault, phase, open }))))(
    'X-1 $fault: an error with `fatal` goes out just before the close of a connection that $phase',
    ({ fault, open }) => {
      const driver = open();
      const error = new ProtocolError(fault, 'what is wrong');
      driver.dispatch({ type: 'fault', error, seq: null });
      expect(driver.effects.slice(-2)).toMatchObject([
        { type: 'send', message: { type: 'error', code: fault, fatal: true, retry: PROTOCOL_FAULTS[fault].retry } },
        { type: 'close', code: closeCodeOf(error), reason: fault },
      ]);
    },
  );

  it('X-1 so too a fault that ends the connection only because no hello was answered yet', () => {
    const driver = new Driver();
    driver.hello();
    driver.dispatch({ type: 'fault', error: new ProtocolError('control_not_json', 'no JSON'), seq: null });
    expect(driver.effects.slice(-2)).toMatchObject([
      { type: 'send', message: { code: 'control_not_json', fatal: true } },
      { type: 'close', code: 4400 },
    ]);
  });

  it.each(['superseded', 'drain'] as const)('X-1 %s: so too where the gateway ends it by itself', (type) => {
    for (const [, open] of phases) {
      const driver = open();
      driver.dispatch({ type });
      expect(driver.effects.slice(-2)).toMatchObject([{ type: 'send', message: { fatal: true } }, { type: 'close' }]);
    }
  });
});
