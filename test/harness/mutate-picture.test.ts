import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { clipFrame } from '../../harness/clip.ts';
import { mutateStructure } from '../../harness/mutate-picture.ts';
import { seededIntegers } from '../../harness/random.ts';
import { guardImage } from '../../inference/pixels/guard.ts';

const picture = () => sharp(clipFrame(3)).resize(96, 72);

describe('pictures whose structure is damaged', () => {
  it.each([
    ['JPEG', () => picture().jpeg().toBuffer()],
    ['lossy WebP', () => picture().webp({ quality: 40 }).toBuffer()],
    ['lossless WebP', () => picture().webp({ lossless: true }).toBuffer()],
    ['WebP with transparency', () => picture().ensureAlpha(0.5).webp().toBuffer()],
  ])(
    '%s: some are refused before they are decoded, some get further, and sizes are of every kind',
    async (_name, make) => {
      const original = await make();
      const below = seededIntegers(20_261_129);
      const verdicts = Array.from({ length: 400 }, () => guardImage(mutateStructure(original, below) ?? original));
      const sound = verdicts.flatMap((verdict) => (verdict.ok ? [`${verdict.widthPx}×${verdict.heightPx}`] : []));
      expect(sound.length).toBeGreaterThan(20);
      expect(verdicts.length - sound.length).toBeGreaterThan(20);
      expect(new Set(sound).size).toBeGreaterThan(2);
      expect(new Set(verdicts.map((verdict) => (verdict.ok ? 'ok' : verdict.fault)))).toContain('imageTooLarge');
    },
  );

  it('anything else has no such structure', () => {
    for (const bytes of [new Uint8Array(), Buffer.from('{"type":"start"}'), Buffer.from('RIFF')]) {
      expect(mutateStructure(bytes, seededIntegers(1))).toBeNull();
    }
  });
});
