import { describe, expect, it } from 'vitest';
import { hasChanged, hasMovedFar } from '../../../client/device/observation-diff.ts';
import { eyeSeen, faceAtScreen, NO_FACE } from '../../../harness/observations.ts';

const AT_SCREEN = faceAtScreen();

describe('what differs between two observations of device mode (U-8)', () => {
  it.each([
    ['nothing', faceAtScreen(), false],
    ['the scatter of a still head', faceAtScreen({ headYawDeg: 1.5, headPitchDeg: -8 }), false],
    ['the scatter of one eye', faceAtScreen({ imageLeftEye: eyeSeen(6, -5) }), false],
    ['a head that turns', faceAtScreen({ headYawDeg: 3 }), true],
    ['a head that nods', faceAtScreen({ headPitchDeg: -10 }), true],
    ['eyes that turn', faceAtScreen({ imageLeftEye: eyeSeen(7, 0), imageRightEye: eyeSeen(6, 0) }), true],
    ['one eye that shuts', faceAtScreen({ imageRightEye: eyeSeen(0, 0, 0.15) }), true],
    ['a lid that is shut by its pixels', faceAtScreen({ imageLeftEye: { ...eyeSeen(0, 0), shut: 0.9 } }), true],
    ['an eye that is covered', faceAtScreen({ imageLeftEye: { ...eyeSeen(0, 0), visibility: 0 } }), true],
    ['a second face', { ...faceAtScreen(), faceCount: 2 }, true],
    ['an empty chair', NO_FACE, true],
  ])('%s', (_name, now, changed) => {
    expect(hasChanged(AT_SCREEN, now)).toBe(changed);
    expect(hasChanged(now, AT_SCREEN)).toBe(changed);
  });

  it('an empty chair stays one, and a lens that is covered is another thing', () => {
    expect(hasChanged(NO_FACE, { ...NO_FACE, brightness: 0.4 })).toBe(false);
    expect(hasChanged(NO_FACE, { ...NO_FACE, fault: 'camera_covered' })).toBe(true);
  });

  it('a head that turns by more than 6°, or is gone, has moved far', () => {
    expect(hasMovedFar(AT_SCREEN, faceAtScreen({ headYawDeg: 5 }))).toBe(false);
    expect(hasMovedFar(AT_SCREEN, faceAtScreen({ headYawDeg: -7 }))).toBe(true);
    expect(hasMovedFar(AT_SCREEN, NO_FACE)).toBe(true);
    expect(hasMovedFar(NO_FACE, NO_FACE)).toBe(false);
  });
});
