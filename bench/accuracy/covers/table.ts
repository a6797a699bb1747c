import { tableOf } from '../table.ts';
import type { CoverRow } from './measure.ts';

/** Seconds booked by kind of cover, over all its stretches. */
export function coversTable(rows: readonly CoverRow[]): string {
  const kindOf = ({ name }: CoverRow): string => name.replace(/ \(.*\)$/, '');
  const sum = (own: readonly CoverRow[], of: (row: CoverRow) => number): string =>
    own.reduce((total, row) => total + of(row), 0).toFixed(1);
  return tableOf(
    ['covered', 'pictures', 'seconds', 'focused', 'unfocused', 'unknown'],
    [...new Set(rows.map(kindOf))].flatMap((kind) =>
      [true, false].map((isWhole) => {
        const own = rows.filter((row) => kindOf(row) === kind && (row.way === null) === isWhole);
        return [
          kind,
          isWhole ? 'whole' : 'as sent',
          sum(own, (row) => row.seconds),
          sum(own, (row) => row.focusedSeconds),
          sum(own, (row) => row.unfocusedSeconds),
          sum(own, (row) => row.unknownSeconds),
        ];
      }),
    ),
  );
}
