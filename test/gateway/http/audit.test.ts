import { describe, expect, it } from 'vitest';
import { createAudit } from '../../../gateway/http/api/audit.ts';
import type { AuditLine } from '../../../gateway/privacy/student.ts';
import { SILENT } from '../../../harness/gateway.ts';

const HOUR_MS = 3_600_000;
const TEACHER = { userId: 2, role: 'teacher' } as const;

function setUp() {
  const lines: AuditLine[] = [];
  const clock = { ms: 1_000_000 };
  const writeAudit = async (written: readonly AuditLine[]) => void lines.push(...written);
  return { audit: createAudit({ logger: SILENT, now: () => clock.ms, writeAudit }), lines, clock };
}

describe('rows of a live list', () => {
  it('are one an hour for each student, however often it is requested and whichever students come and go', () => {
    const { audit, lines, clock } = setUp();
    for (let poll = 0; poll < 700; poll += 1) {
      clock.ms += 5000;
      // One more student with every poll, and now and then an empty list.
      const students = Array.from({ length: Math.min(poll, 40) }, (_, index) => 7 + index);
      audit(TEACHER, '/api/v1/live', poll % 10 === 9 ? [] : students);
    }
    expect(lines).toHaveLength(40);
    clock.ms += HOUR_MS;
    audit(TEACHER, '/api/v1/live', [7]);
    audit(TEACHER, '/api/v1/live', [7]);
    expect(lines).toHaveLength(41);
  });

  it('are written for each reader', () => {
    const { audit, lines } = setUp();
    audit(TEACHER, '/api/v1/live', [7]);
    audit({ userId: 3, role: 'admin' }, '/api/v1/live', [7]);
    expect(lines.map(({ actor, subjectUserId }) => [actor?.userId, subjectUserId])).toEqual([
      [2, 7],
      [3, 7],
    ]);
  });
});

it('every other report leaves a row when it is read, and one a minute where it is read again and again', () => {
  const { audit, lines, clock } = setUp();
  for (let request = 0; request < 6000; request += 1) {
    audit(TEACHER, '/api/v1/students/{userId}', [7]);
    clock.ms += 20;
  }
  expect(lines).toHaveLength(2);
  audit(TEACHER, '/api/v1/sessions', [7]);
  audit(TEACHER, '/api/v1/students/{userId}', [8]);
  audit({ userId: 3, role: 'admin' }, '/api/v1/students/{userId}', [8]);
  expect(lines).toHaveLength(5);
});
