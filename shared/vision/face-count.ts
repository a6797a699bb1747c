/** While a hint holds, other faces are looked for in the first frame of every span of this length. */
const COUNT_FACES_EVERY_MS = 3000;

/** Whether faces are to be counted in a frame of `captureMs` that follows one of `beforeMs`, ms of one capture clock. */
export function isTimeToCountFaces(beforeMs: number, captureMs: number): boolean {
  return Math.floor(captureMs / COUNT_FACES_EVERY_MS) > Math.floor(beforeMs / COUNT_FACES_EVERY_MS);
}
