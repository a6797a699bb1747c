import { describe, expect, it } from 'vitest';
import { columnsOf, csvText } from '../../../gateway/http/csv.ts';

const COLUMNS = columnsOf<{ readonly text: string | null; readonly amount: number | null }>({
  text: (row) => row.text,
  amount: (row) => row.amount,
});

function line(text: string | null, amount: number | null = 1): string | undefined {
  return csvText(COLUMNS, [{ text, amount }]).slice('\uFEFFtext,amount\r\n'.length);
}

describe('CSV', () => {
  it('begins with a byte order mark and a header, and ends every line with CRLF', () => {
    expect(csvText(COLUMNS, [{ text: 'a', amount: 1.5 }])).toBe('\uFEFFtext,amount\r\na,1.5\r\n');
    expect(csvText(COLUMNS, [])).toBe('\uFEFFtext,amount\r\n');
  });

  it.each([
    ['a comma', 'a,b', '"a,b",1\r\n'],
    ['quotes', 'say "hi"', '"say ""hi""",1\r\n'],
    ['a line break', 'a\nb', '"a\nb",1\r\n'],
    ['letters of any kind', 'Peña 李', 'Peña 李,1\r\n'],
  ])('quotes %s after RFC 4180', (_name, text, expected) => {
    expect(line(text)).toBe(expected);
  });

  it.each([
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    '  =1',
    '|cmd',
    '%00',
    '＝1+1',
    '＋1',
    '－1',
    '＠SUM(A1)',
    '\u3000＝1',
  ])('a spreadsheet does not run %j', (text) => {
    expect(line(text)?.replace(/^"/, '')).toMatch(/^'/);
  });

  it.each([
    ['a;=1+1', `a;'=1+1`],
    ['a;b; ＝1', `a;b;' ＝1`],
    ['a\t=1', `a\t'=1`],
    ['a\r\n-1', `a\r\n'-1`],
    ['a;b', 'a;b'],
  ])('nor does one that expects semicolons or tabs: %j', (text, safe) => {
    expect(line(text)).toBe(`"${safe}",1\r\n`);
  });

  it('numbers stay numbers, and nothing is an empty field', () => {
    expect(line(null, -5)).toBe(',-5\r\n');
    expect(line('x', null)).toBe('x,\r\n');
  });
});
