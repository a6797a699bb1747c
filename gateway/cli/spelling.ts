import { variablesOf } from '../../shared/config.ts';
import { gatewayEnvironmentSchema } from '../config.ts';

/** Letters that differ at most between a name and the one that was meant. */
const FAR = 2;
/** Short names are near to everything. */
const MIN_LENGTH = 6;

/** Number of single letters to insert, delete or replace (Levenshtein 1966). */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** Variables that are set but not known, and that look like a known one that is not set. */
export function misspelt(env: Readonly<Record<string, string | undefined>>): { given: string; meant: string }[] {
  const known = variablesOf(gatewayEnvironmentSchema).map(({ name }) => name);
  const unset = known.filter((name) => name.length >= MIN_LENGTH && (env[name] ?? '') === '');
  return Object.keys(env)
    .filter((name) => !known.includes(name))
    .flatMap((given) => {
      const meant = unset.find((name) => distance(given.toUpperCase(), name) <= FAR);
      return meant === undefined ? [] : [{ given, meant }];
    });
}
