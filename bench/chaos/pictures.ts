import sharp from 'sharp';
import { CLIP_FRAMES, CLIP_SIZE } from '../../harness/clip.ts';

/** The clip's steadiest two seconds: eyes on the screen, open, head nearly still (harness/clips/README.md). */
const STEADY = { from: 100, to: 120 } as const;
const EMPTY_PICTURES = 8;
const NOISE_SIGMA = 20;

/** What a camera shows of somebody at the screen, and of nobody: JPEGs, none like the one before. */
export interface Pictures {
  readonly atScreen: readonly Uint8Array[];
  readonly nobody: readonly Uint8Array[];
}

/** Reads the pictures of somebody from the clip and draws those of nobody: noise on a wall. */
export async function loadPictures(): Promise<Pictures> {
  const frames = CLIP_FRAMES.slice(STEADY.from, STEADY.to);
  // There and back again, for a jump from the last picture to the first would be a movement.
  const atScreen = [...frames, ...frames.slice(1, -1).toReversed()];
  const nobody = await Promise.all(
    Array.from({ length: EMPTY_PICTURES }, (_, index) =>
      sharp({
        create: {
          width: CLIP_SIZE.widthPx,
          height: CLIP_SIZE.heightPx,
          channels: 3,
          background: '#fff',
          noise: { type: 'gaussian', mean: 110 + 4 * index, sigma: NOISE_SIGMA },
        },
      })
        .jpeg({ quality: 60 })
        .toBuffer(),
    ),
  );
  return { atScreen, nobody };
}
