/** Capture time a picture may stay bit-identical before the camera counts as frozen (DESIGN, decision 3). */
export const FREEZE_AFTER_MS = 5000;

/** Remembers when the picture last changed, on the capture clock. */
export interface FreezeWatch {
  readonly digest: number | null;
  readonly changedAtMs: number;
}

export const NO_PICTURE: FreezeWatch = { digest: null, changedAtMs: 0 };

/** Notes a real frame by the digest of its bytes. A live camera's noise changes them every time. */
export function noteFrame(watch: FreezeWatch, digest: number, captureMs: number): FreezeWatch {
  return watch.digest === digest ? watch : { digest, changedAtMs: captureMs };
}

/** True when nothing has changed for so long that no statement about the student can be made. */
export function isFrozen(watch: FreezeWatch, captureMs: number): boolean {
  return watch.digest !== null && captureMs - watch.changedAtMs >= FREEZE_AFTER_MS;
}
