/** What a field of a CSV file may hold; null is an empty field. */
export type CsvValue = string | number | boolean | null;

export interface CsvColumn<Row> {
  readonly name: string;
  readonly value: (row: Row) => CsvValue;
}

/** Columns by name, in order. */
export function columnsOf<Row>(values: Readonly<Record<string, (row: Row) => CsvValue>>): readonly CsvColumn<Row>[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}

/** A spreadsheet runs a cell that begins like this (OWASP, "CSV Injection"). */
const FORMULA = /^[\s]*[=+\-@\t\r|%]/;

function field(value: CsvValue): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * Rows as CSV after RFC 4180: a header line, CRLF, fields quoted where they must be. A byte order mark comes first,
 * by which spreadsheets know UTF-8, and a text that would run as a formula gets an apostrophe in front.
 */
export function csvText<Row>(columns: readonly CsvColumn<Row>[], rows: readonly Row[]): string {
  const lines = [
    columns.map(({ name }) => field(name)),
    ...rows.map((row) => columns.map(({ value }) => field(value(row)))),
  ];
  return `\uFEFF${lines.map((line) => `${line.join(',')}\r\n`).join('')}`;
}
