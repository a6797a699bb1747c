import { expect, it } from 'vitest';
import { refusedOrigins } from '../../../gateway/http/refused-origins.ts';
import { SILENT } from '../../../harness/gateway.ts';

it('a flood of refused origins leaves one line a minute, with their number', () => {
  const lines: unknown[] = [];
  let nowMs = 0;
  const refused = refusedOrigins({ ...SILENT, warn: (fields: unknown) => lines.push(fields) }, () => nowMs);
  for (let index = 0; index < 1200; index += 1) {
    refused(`https://${index}.example`);
    nowMs += 100;
  }
  expect(lines).toEqual([
    { code: 'origin_not_allowed', origin: 'https://0.example', refused: 1 },
    { code: 'origin_not_allowed', origin: 'https://600.example', refused: 600 },
  ]);
});
