import * as z from 'zod';

const ALL = 'all';

/** What a teacher teaches: everything, or these school classes (`users.section`) and these modules. */
export type Teaching = typeof ALL | { readonly classes: readonly string[]; readonly moduleIds: readonly number[] };

/** Claims `classes` and `modules` of a ticket or reader token. A claim of another form makes the whole token invalid. */
export const teachingShape = {
  classes: z.union([z.literal(ALL), z.array(z.string().min(1).max(100)).max(200)]).optional(),
  modules: z.array(z.int().min(1).max(2_147_483_647)).max(1000).optional(),
};

interface Claims {
  readonly classes?: typeof ALL | readonly string[] | undefined;
  readonly modules?: readonly number[] | undefined;
}

/** What the claims say; undefined where they name neither a class nor a module. */
export function teachingOf({ classes = [], modules = [] }: Claims): Teaching | undefined {
  if (classes === ALL) return ALL;
  return classes.length + modules.length === 0 ? undefined : { classes, moduleIds: modules };
}

/** The claims that say so. */
export function teachingClaims(teaching: Teaching | undefined): { classes?: string | string[]; modules?: number[] } {
  if (teaching === undefined) return {};
  return teaching === ALL ? { classes: ALL } : { classes: [...teaching.classes], modules: [...teaching.moduleIds] };
}
