import { seededRandom } from '../../../harness/random.ts';

export const ORIGINS = ['african', 'asian', 'caucasian'] as const;
export type Origin = (typeof ORIGINS)[number];
export const AGES = ['child', 'young', 'old'] as const;
export const SEXES = ['female', 'male'] as const;

/** A head in numbers: weights of shapes, and colours (red, green, blue, 0–1, linear). */
export interface Recipe {
  readonly name: string;
  readonly origins: Readonly<Record<Origin, number>>;
  /** The largest of `origins`. */
  readonly origin: Origin;
  readonly age: (typeof AGES)[number];
  readonly sex: (typeof SEXES)[number];
  readonly shapes: Readonly<Record<string, number>>;
  readonly skin: readonly [number, number, number];
  readonly tone: 'dark' | 'medium' | 'light';
  readonly hair: readonly [number, number, number];
  /** Factors on the brown iris of the texture. */
  readonly iris: readonly [number, number, number];
  readonly browThickness: number;
}

/** Shapes that go one way or the other; the first name at positive weights. */
const OPPOSITES: readonly (readonly [string, string])[] = [
  ['head/head-fat-incr', 'head/head-fat-decr'],
  ['head/head-scale-horiz-incr', 'head/head-scale-horiz-decr'],
  ['head/head-scale-vert-incr', 'head/head-scale-vert-decr'],
  ['nose/nose-scale-horiz-incr', 'nose/nose-scale-horiz-decr'],
  ['nose/nose-scale-depth-incr', 'nose/nose-scale-depth-decr'],
  ['nose/nose-hump-incr', 'nose/nose-hump-decr'],
  ['nose/nose-trans-out', 'nose/nose-trans-in'],
];
/** The same on both eyes. */
const EYE_OPPOSITES: readonly (readonly [string, string])[] = [
  ['eye-height1-incr', 'eye-height1-decr'],
  ['eye-height2-incr', 'eye-height2-decr'],
  ['eye-height3-incr', 'eye-height3-decr'],
  ['eye-scale-incr', 'eye-scale-decr'],
  ['eye-trans-in', 'eye-trans-out'],
  ['eye-corner1-up', 'eye-corner1-down'],
  ['eye-corner2-up', 'eye-corner2-down'],
  ['eye-eyefold-down', 'eye-eyefold-up'],
  ['eye-bag-incr', 'eye-bag-decr'],
  ['eye-push1-in', 'eye-push1-out'],
];

const SKINS: Readonly<Record<Origin, { readonly light: readonly number[]; readonly dark: readonly number[] }>> = {
  african: { light: [0.33, 0.19, 0.12], dark: [0.07, 0.037, 0.022] },
  asian: { light: [0.72, 0.5, 0.36], dark: [0.42, 0.26, 0.16] },
  caucasian: { light: [0.82, 0.56, 0.45], dark: [0.5, 0.3, 0.2] },
};
const IRISES: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [0.5, 0.45, 0.4],
  [1.6, 1.7, 1.3],
  [1.2, 2.4, 3.4],
];

function mix(a: readonly number[], b: readonly number[], t: number): [number, number, number] {
  const at = (i: number): number => (a[i] ?? 0) * (1 - t) + (b[i] ?? 0) * t;
  return [at(0), at(1), at(2)];
}

/** Unlike heads, the same for the same seed: ages, sexes and origins in turn, mixed with the others by up to a third. */
export function makeRecipes(count: number, seed: number): readonly Recipe[] {
  const random = seededRandom(seed);
  const between = (low: number, high: number): number => low + (high - low) * random();
  return Array.from({ length: count }, (_, i): Recipe => {
    const origin = ORIGINS[i % ORIGINS.length] ?? 'asian';
    const sex = SEXES[Math.floor(i / ORIGINS.length) % SEXES.length] ?? 'female';
    const age = AGES[[1, 1, 2, 0][Math.floor(i / (ORIGINS.length * SEXES.length)) % 4] ?? 1] ?? 'young';
    const other = ORIGINS[(i + 1 + Math.floor(random() * 2)) % ORIGINS.length] ?? 'asian';
    const share = between(0, 0.35);
    const origins = { african: 0, asian: 0, caucasian: 0 };
    origins[origin] += 1 - share;
    origins[other] += share;
    const shapes: Record<string, number> = {};
    const add = (name: string, weight: number): void => {
      shapes[name] = (shapes[name] ?? 0) + weight;
    };
    for (const [more, less] of OPPOSITES) {
      const weight = between(-0.7, 0.7);
      add(weight > 0 ? more : less, Math.abs(weight));
    }
    for (const [more, less] of EYE_OPPOSITES) {
      const weight = between(-0.7, 0.7);
      for (const side of ['l', 'r']) {
        // No face is quite the same on both sides.
        add(`eyes/${side}-${weight > 0 ? more : less}`, Math.abs(weight) * between(0.85, 1));
      }
    }
    if (origin === 'asian') {
      const fold = between(0.1, 0.9);
      for (const side of ['l', 'r']) add(`eyes/${side}-eye-epicanthus-in`, fold);
    }
    const skin = mix(
      mix(SKINS[origin].light, SKINS[origin].dark, random()),
      mix(SKINS[other].light, SKINS[other].dark, random()),
      share,
    );
    const luma = 0.21 * skin[0] + 0.72 * skin[1] + 0.07 * skin[2];
    const grey = age === 'old' ? between(0.3, 0.6) : 0;
    const dark = mix([0.012, 0.009, 0.007], [0.09, 0.05, 0.025], origin === 'caucasian' ? random() : random() * 0.2);
    const canBeLight = origin === 'caucasian' ? IRISES.length : 2;
    return {
      name: `${i + 1}: ${origin}, ${sex}, ${age}`,
      origins,
      origin,
      age,
      sex,
      shapes,
      skin,
      tone: luma < 0.2 ? 'dark' : luma < 0.4 ? 'medium' : 'light',
      hair: mix(dark, [0.5, 0.5, 0.5], grey),
      iris: IRISES[Math.floor(random() * canBeLight)] ?? [1, 1, 1],
      browThickness: between(0.6, 1.4),
    };
  });
}
