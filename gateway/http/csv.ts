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

/**
 * A spreadsheet runs a cell that begins like this (OWASP, "CSV Injection"), the full-width signs of East Asian keyboards
 * included. One that expects semicolons or tabs between cells takes them, and line ends, in the middle of our text for the
 * start of a cell, for it does not know our quotes.
 */
const FORMULA = /(^|\r\n|[;\t\r\n])(?=\s*[=+\-@\t\r|%＝＋－＠｜％])/g;

function field(value: CsvValue): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  const safe = value.replace(FORMULA, "$1'");
  return /[",;\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * Rows as CSV after RFC 4180: a header line, CRLF, fields quoted where they must be. A byte order mark comes first,
 * by which spreadsheets know UTF-8, and what would run as a formula gets an apostrophe in front.
 */
export function csvText<Row>(columns: readonly CsvColumn<Row>[], rows: readonly Row[]): string {
  const lines = [
    columns.map(({ name }) => field(name)),
    ...rows.map((row) => columns.map(({ value }) => field(value(row)))),
  ];
  return `\uFEFF${lines.map((line) => `${line.join(',')}\r\n`).join('')}`;
}
