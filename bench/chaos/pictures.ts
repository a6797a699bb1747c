import { CLIP_FRAMES, emptyRoom } from '../../harness/clip.ts';

/** The clip's steadiest two seconds: eyes on the screen, open, head nearly still (harness/clips/README.md). */
const STEADY = { from: 100, to: 120 } as const;
const EMPTY_PICTURES = 8;

/** What a camera shows with a student at the screen, and of the empty room: JPEGs, each unlike the one before. */
export interface Pictures {
  readonly atScreen: readonly Uint8Array[];
  readonly absent: readonly Uint8Array[];
}

/** Reads the pictures of a student from the clip and draws those of an empty room. */
export async function loadPictures(): Promise<Pictures> {
  const frames = CLIP_FRAMES.slice(STEADY.from, STEADY.to);
  // There and back again, for a jump from the last picture to the first would be a movement.
  const atScreen = [...frames, ...frames.slice(1, -1).toReversed()];
  const absent = await Promise.all(Array.from({ length: EMPTY_PICTURES }, (_, index) => emptyRoom(70 + index)));
  return { atScreen, absent };
}
