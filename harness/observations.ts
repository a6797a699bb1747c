import type { EyeObservation, FaceMeasurement, FaceObservation } from '../shared/observation.ts';

/** An eye in full view. Degrees in the camera's frame; `openness` is lid distance by eye width. */
export function eyeSeen(yawDeg: number, pitchDeg: number, openness = 0.28): EyeObservation {
  return { yawDeg, pitchDeg, openness, visibility: 1 };
}

/** What inference gives of one face at the screen, 640×480, in good light, with what `change` says. */
export function faceAtScreen(change: Partial<FaceMeasurement> = {}): FaceObservation {
  return {
    face: {
      score: 0.99,
      headYawDeg: 0,
      headPitchDeg: -7,
      headRollDeg: 0,
      fitResidual: 0.03,
      imageLeftEye: eyeSeen(0, 0),
      imageRightEye: eyeSeen(0, 0),
      interOcularPx: 70,
      seedDirection: 'centered',
      nextRoi: { centerXPx: 320, centerYPx: 240, sizePx: 300, rotationRad: 0 },
      ...change,
    },
    faceCount: 1,
    detectorRan: false,
    brightness: 0.5,
    sharpness: 0.5,
  };
}

/** What inference gives of an empty chair in good light. */
export const NO_FACE: FaceObservation = {
  face: null,
  faceCount: 0,
  detectorRan: true,
  brightness: 0.5,
  sharpness: 0.5,
};
