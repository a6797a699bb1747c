import sharp from 'sharp';
import type { Shot } from '../look.ts';

/** Ways of covering eyes, and things before eyes that leave them to be seen. */
export const COVERS = ['dark', 'glare', 'window', 'patch', 'oneGlare', 'rims', 'tint'] as const;
export type Cover = (typeof COVERS)[number];

const EYE_CORNERS = [
  [33, 133],
  [263, 362],
] as const;
const HIDES_BOTH: readonly Cover[] = ['dark', 'glare', 'window'];
const HIDES_ONE: readonly Cover[] = ['patch', 'oneGlare'];

type Random = () => number;

/** A cover as SVG shapes in units of the eye's width, the eye's middle at 0. */
function shapesOf(cover: Cover, random: Random): (eye: Random) => string {
  const between = (low: number, high: number, of: Random = random): number => low + (high - low) * of();
  const isRound = random() < 0.5;
  const lens = (fill: string, opacity: number, rx: number, ry: number, down: number): string =>
    isRound
      ? `<ellipse cy="${down}" rx="${rx}" ry="${ry}" fill="${fill}" fill-opacity="${opacity}"/>`
      : `<rect x="${-rx}" y="${down - ry}" width="${2 * rx}" height="${2 * ry}" rx="0.2" fill="${fill}" fill-opacity="${opacity}"/>`;
  const [rx, ry, down] = [between(0.75, 1.15), between(0.5, 0.9), between(-0.05, 0.2)];
  switch (cover) {
    case 'dark': {
      const level = Math.round(between(0, 45));
      const dark = lens(`rgb(${level},${level},${level})`, between(0.88, 1), rx, ry, down);
      return (eye) =>
        eye() < 0.5
          ? dark
          : `${dark}<ellipse cx="${between(-0.6, 0.6, eye)}" cy="${between(-0.3, 0.3, eye)}" rx="${between(0.1, 0.3, eye)}" ry="${between(0.05, 0.15, eye)}" fill="white" fill-opacity="${between(0.2, 0.8, eye)}"/>`;
    }
    case 'patch': {
      const level = Math.round(between(0, 60));
      return () => lens(`rgb(${level},${level},${level})`, 1, between(0.8, 1.1), between(0.6, 0.9), 0);
    }
    case 'rims': {
      const level = Math.round(between(0, 80));
      const stroke = between(0.06, 0.16);
      return (eye) =>
        `<ellipse cy="0.1" rx="${between(0.8, 1, eye)}" ry="${between(0.55, 0.75, eye)}" fill="none" stroke="rgb(${level},${level},${level})" stroke-width="${stroke}"/>` +
        `<ellipse cx="${eye() < 0.5 ? 0.5 : -0.5}" cy="${between(-0.35, 0.4, eye)}" rx="0.12" ry="0.08" fill="white" fill-opacity="${between(0, 0.9, eye)}"/>`;
    }
    case 'tint':
      return () => lens('rgb(30,25,20)', between(0.1, 0.35), rx, ry, down);
    default: {
      const level = Math.round(between(165, 255));
      const fill = `rgb(${Math.round(level * between(0.85, 1))},${Math.round(level * between(0.92, 1))},${level})`;
      const opacity = between(0.8, 1);
      const size = [between(0.65, 1.1), between(0.42, 0.8)] as const;
      if (cover !== 'window') return () => lens(fill, opacity, size[0], size[1], down / 2);
      const bar = (at: number, thick: number, upright: boolean): string =>
        upright
          ? `<rect x="${at}" y="-0.7" width="${thick}" height="1.4" fill="rgb(60,60,70)" fill-opacity="0.8"/>`
          : `<rect x="-0.9" y="${at}" width="1.8" height="${thick}" fill="rgb(60,60,70)" fill-opacity="0.8"/>`;
      return (eye) =>
        lens(fill, opacity, size[0], size[1], down / 2) +
        bar(between(-0.6, 0, eye), between(0.05, 0.12, eye), true) +
        bar(between(0, 0.6, eye), between(0.05, 0.12, eye), true) +
        bar(between(-0.2, 0.2, eye), between(0.04, 0.1, eye), false);
    }
  }
}

/** A picture with a cover drawn over the eyes that `landmarks` (camera pixels) name, and which eyes it hides. */
export async function drawCover(
  shot: Shot,
  landmarks: Float32Array,
  cover: Cover,
  random: Random,
): Promise<{ readonly shot: Shot; readonly hides: readonly [boolean, boolean] }> {
  const { widthPx, heightPx, channels } = shot.image;
  const point = (index: number) => [landmarks[index * 3] ?? 0, landmarks[index * 3 + 1] ?? 0] as const;
  const [fromX, fromY] = point(33);
  const [toX, toY] = point(263);
  const turnDeg = (Math.atan2(toY - fromY, toX - fromX) * 180) / Math.PI;
  const isOne = HIDES_ONE.includes(cover);
  const one = random() < 0.5 ? 0 : 1;
  const shapes = shapesOf(cover, random);
  const blur = random() * 0.1;
  const drawn = EYE_CORNERS.flatMap(([outer, inner], eye) => {
    if (isOne && eye !== one) return [];
    const [ax, ay] = point(outer);
    const [bx, by] = point(inner);
    const widthOfEye = Math.hypot(ax - bx, ay - by);
    const place = `translate(${(ax + bx) / 2},${(ay + by) / 2}) rotate(${turnDeg}) scale(${widthOfEye})`;
    return `<g transform="${place}"${blur > 0.04 ? ' filter="url(#soft)"' : ''}>${shapes(random)}</g>`;
  });
  const soft = `<filter id="soft"><feGaussianBlur stdDeviation="${blur}"/></filter>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}"><defs>${soft}</defs>${drawn.join('')}</svg>`;
  const { data } = await sharp(shot.image.data, { raw: { width: widthPx, height: heightPx, channels } })
    .composite([{ input: Buffer.from(svg) }])
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const hidesBoth = HIDES_BOTH.includes(cover);
  return {
    shot: { ...shot, image: { ...shot.image, data, channels: 3 } },
    hides: isOne ? [one === 0, one === 1] : [hidesBoth, hidesBoth],
  };
}
