import { DIRECTIONS, type Direction } from '../direction.ts';

const FRAMES = 10;
const FOCUSED_SHARE = 0.6;

/**
 * The smoothing of the service this product replaces: focused when more than 0.6 of the last ten
 * frames are, whatever time they cover. `recent` are the verdicts before this one, newest last.
 * Otherwise the direction is the most frequent of the others, the newest one on a tie.
 */
export function smoothAsSeed(
  recent: readonly Direction[],
  verdict: Direction,
): { recent: readonly Direction[]; direction: Direction } {
  const frames = [...recent, verdict].slice(-FRAMES);
  const centered = frames.filter((direction) => direction === 'centered').length;
  if (centered / frames.length > FOCUSED_SHARE) return { recent: frames, direction: 'centered' };
  const count = (of: Direction): number => frames.filter((direction) => direction === of).length;
  const others = DIRECTIONS.filter((direction) => direction !== 'centered' && count(direction) > 0);
  const rank = (of: Direction): number => count(of) + frames.lastIndexOf(of) / FRAMES / 2;
  const direction = others.reduce<Direction>(
    (best, other) => (rank(other) > rank(best) ? other : best),
    others[0] ?? 'distracted',
  );
  return { recent: frames, direction };
}
