/**
 * Whose data a reader may see; every question to the reports carries one.
 * `school`: everybody's. `student`: one's own. `named`: students of these classes, and whatever happened in these modules.
 * `groups`: sums over whole groups, no person and no part of a group.
 */
export type Reach =
  | { readonly kind: 'school' }
  | { readonly kind: 'student'; readonly userId: number }
  | { readonly kind: 'named'; readonly classes: readonly string[]; readonly moduleIds: readonly number[] }
  | {
      readonly kind: 'groups';
      /** Fewest students in a group. */
      readonly minGroup: number;
      /** The present day, `YYYY-MM-DD`: a day that still grows would tell the next student by what it grows by. */
      readonly before: string;
    };

export const WHOLE_SCHOOL: Reach = { kind: 'school' };
