import type { Connection } from 'mysql2/promise';
import { createPeopleTables } from '../../harness/eyelearn-schema.ts';
import { seededRandom } from '../../harness/random.ts';
import type { Direction, FocusState } from '../../shared/direction.ts';
import type { Bout, MetricsWindow } from '../../shared/metrics-window.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 1440 * MINUTE;
const WINDOW_MS = 30 * SECOND;
const FRAME_EVERY_MS = 200;

export const TEACHER = { id: 2, firstName: 'Teresa', lastName: 'Lim' };

/** The students of the made-up school, in three classes and one without any. */
export const STUDENTS = [
  ['Ana', 'Reyes', 'BSIT-1A'],
  ['Ben', 'Cruz', 'BSIT-1A'],
  ['Carla', 'Domingo', 'BSIT-1A'],
  ['Diego', 'Santos', 'BSIT-1A'],
  ['Elena', 'Garcia', 'BSIT-1A'],
  ['Felix', 'Ramos', 'BSIT-1A'],
  ['Grace', 'Bautista', 'BSIT-1B'],
  ['Hannah', 'Flores', 'BSIT-1B'],
  ['Ivan', 'Mendoza', 'BSIT-1B'],
  ['Julia', 'Torres', 'BSIT-1B'],
  ['Karl', 'Aquino', 'BSIT-1B'],
  ['Lea', 'Navarro', 'BSIT-1B'],
  ['Marco', 'Villanueva', 'BSCS-2A'],
  ['Nina', 'Castillo', 'BSCS-2A'],
  ['Oscar', 'de la Peña', 'BSCS-2A'],
  ['Paula', 'Ocampo', 'BSCS-2A'],
  ['Quentin', 'Soriano', 'BSCS-2A'],
  ['=Rosa', 'Valdez', null],
].map(([firstName, lastName, className], index) => ({ id: 7 + index, firstName, lastName, className }));

/** Modules with the ids and titles of their lesson sections; minutes is how long a section takes most students. */
export const MODULES = [
  {
    id: 3,
    title: 'Computer Networks',
    sections: [
      { id: 31, title: 'What a network is', minutes: 6 },
      { id: 32, title: 'Addresses and subnets', minutes: 10 },
      { id: 33, title: 'Routing, step by step', minutes: 9 },
      { id: 34, title: 'Checkpoint', minutes: 4 },
    ],
  },
  {
    id: 4,
    title: 'Databases',
    sections: [
      { id: 41, title: 'Tables and keys', minutes: 7 },
      { id: 42, title: 'Joins', minutes: 11 },
      { id: 43, title: 'Transactions', minutes: 8 },
    ],
  },
  {
    id: 5,
    title: 'Programming in Java',
    sections: [
      { id: 51, title: 'Variables, "types", and values', minutes: 8 },
      { id: 52, title: 'Loops', minutes: 9 },
      { id: 53, title: 'Classes and objects', minutes: 12 },
    ],
  },
] as const;

/** Which weeks to fill, and with what numbers. */
export interface SchoolPlan {
  readonly seed: number;
  /** First day, UTC ms of its midnight in the school's time zone. */
  readonly firstDayMs: number;
  readonly days: number;
  /** Weekday of the first day, 0 = Sunday: nobody studies on Sundays, few on Saturdays. */
  readonly firstWeekday: number;
  readonly students?: number;
}

interface Stretch {
  readonly state: FocusState;
  readonly direction: Direction;
  readonly startMs: number;
  readonly endMs: number;
}

const AWAY: readonly Direction[] = [
  'looking_left',
  'looking_right',
  'looking_down',
  'looking_down',
  'looking_down',
  'face_turned',
  'no_face',
  'distracted',
];

/** States in a row that never repeat, from 0 to `lengthMs`. `difficulty` (0–1) says how hard a moment is. */
function stretches(
  random: () => number,
  lengthMs: number,
  skill: number,
  difficulty: (atMs: number) => number,
): Stretch[] {
  const found: Stretch[] = [];
  const exponential = (meanMs: number) => Math.max(600, Math.round(-Math.log(1 - random()) * meanMs));
  for (let at = 0; at < lengthMs; ) {
    const before = found.at(-1)?.state;
    const hard = difficulty(at);
    const lapse = random();
    const state: FocusState =
      before !== 'focused' ? 'focused' : lapse < 0.05 ? 'untracked' : lapse < 0.12 ? 'unknown' : 'unfocused';
    const meanMs = {
      focused: (24 + 70 * skill * skill) * SECOND * (1 - 0.75 * hard),
      unfocused: (4 + 22 * (1 - skill)) * SECOND * (1 + hard),
      unknown: 6 * SECOND,
      untracked: 14 * SECOND,
    }[state];
    const endMs = Math.min(lengthMs, at + exponential(meanMs));
    const away = AWAY[Math.floor(random() * AWAY.length)] ?? 'distracted';
    const direction = { focused: 'centered', unfocused: away, unknown: 'unknown', untracked: 'unknown' } as const;
    found.push({ state, direction: direction[state], startMs: at, endMs });
    at = endMs;
  }
  return found;
}

interface Visit {
  readonly sectionId: number | null;
  readonly startMs: number;
  readonly endMs: number;
}

function uuidFrom(random: () => number): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}

interface SessionPlan {
  readonly sessionId: string;
  readonly userId: number;
  readonly moduleId: number;
  readonly startedAtMs: number;
  readonly visits: readonly Visit[];
  readonly states: readonly Stretch[];
}

/** Cuts a session into windows of at most 30 s, never across a change of section. */
function windowsOf(session: SessionPlan, random: () => number): MetricsWindow[] {
  const windows: MetricsWindow[] = [];
  const lastEndMs = session.visits.at(-1)?.endMs ?? 0;
  for (const visit of session.visits) {
    for (let fromMs = visit.startMs; fromMs < visit.endMs; fromMs += WINDOW_MS) {
      const toMs = Math.min(visit.endMs, fromMs + WINDOW_MS);
      const times: Record<FocusState, number> = { focused: 0, unfocused: 0, unknown: 0, untracked: 0 };
      const directionMs: Partial<Record<Direction, number>> = {};
      const bouts: Bout[] = [];
      for (const { state, direction, startMs, endMs } of session.states) {
        const overlapMs = Math.min(endMs, toMs) - Math.max(startMs, fromMs);
        if (overlapMs > 0) {
          times[state] += overlapMs;
          if (state !== 'untracked') directionMs[direction] = (directionMs[direction] ?? 0) + overlapMs;
        }
        if ((state === 'focused' || state === 'unfocused') && endMs > fromMs && endMs <= toMs) {
          bouts.push({ kind: state, startedAtMs: session.startedAtMs + startMs, durationMs: endMs - startMs });
        }
      }
      const tracked = times.focused + times.unfocused + times.unknown;
      const framesReceived = Math.floor(tracked / FRAME_EVERY_MS);
      const framesDropped = random() < 0.15 ? Math.min(framesReceived, Math.floor(random() * 6)) : 0;
      const framesProcessed = framesReceived - framesDropped;
      const absentMs = (directionMs.no_face ?? 0) + (directionMs.unknown ?? 0);
      windows.push({
        sessionId: session.sessionId,
        epoch: 0,
        seq: windows.length,
        userId: session.userId,
        moduleId: session.moduleId,
        sectionId: visit.sectionId,
        sessionStartedAtMs: session.startedAtMs,
        startedAtMs: session.startedAtMs + fromMs,
        endedAtMs: session.startedAtMs + toMs,
        focusedMs: times.focused,
        unfocusedMs: times.unfocused,
        unknownMs: times.unknown,
        untrackedMs: times.untracked,
        directionMs,
        bouts,
        framesReceived,
        framesProcessed,
        framesDropped,
        framesWithFace: Math.max(0, framesProcessed - Math.ceil(absentMs / FRAME_EVERY_MS)),
        bytesUp: framesReceived * 2150,
        bytesDown: framesProcessed * 46,
        gatewayMsSum: framesProcessed,
        mode: 'server',
        rule: 'geometric',
        calibrationVersion: null,
        calibratedAtMs: null,
        lateMs: 0,
        pausedHiddenMs: 300,
        pausedStudentMs: 200,
        pausedCameraMs: 100,
        secondFaceMs: 40,
        suspect: null,
        final: toMs === lastEndMs,
      });
    }
  }
  return windows;
}

/** Windows of a school's weeks, session after session. Students differ, and so do the sections' hard moments. */
export function schoolWindows(plan: SchoolPlan): MetricsWindow[] {
  const random = seededRandom(plan.seed);
  const students = STUDENTS.slice(0, plan.students ?? STUDENTS.length);
  const skills = new Map(students.map(({ id }) => [id, 0.3 + 0.65 * random()]));
  const windows: MetricsWindow[] = [];
  for (let day = 0; day < plan.days; day += 1) {
    const weekday = (plan.firstWeekday + day) % 7;
    if (weekday === 0) continue;
    for (const student of students) {
      if (random() > (weekday === 6 ? 0.12 : 0.5)) continue;
      const module = MODULES[Math.floor(random() * MODULES.length)] ?? MODULES[0];
      const first = Math.floor(random() * (module.sections.length - 1));
      let at = 0;
      const visits: Visit[] = module.sections
        .slice(first, first + 1 + Math.floor(random() * 3))
        .map(({ id, minutes }) => {
          const startMs = at;
          at += Math.round(minutes * (0.75 + 0.5 * random()) * 60) * SECOND;
          return { sectionId: id, startMs, endMs: at };
        });
      const hardMs = (visit: Visit) => 3 * MINUTE + ((visit.sectionId ?? 0) % 4) * MINUTE;
      const states = stretches(random, at, skills.get(student.id) ?? 0.6, (moment) => {
        const visit = visits.find(({ endMs }) => moment < endMs);
        if (visit === undefined) return 0;
        const away = Math.abs(moment - visit.startMs - hardMs(visit));
        return Math.max(0, 1 - away / (1.5 * MINUTE)) * 0.8 + 0.2 * Math.min(1, moment / (30 * MINUTE));
      });
      const minuteOfDay = 8 * 60 + Math.floor(random() * random() * 12 * 60);
      windows.push(
        ...windowsOf(
          {
            sessionId: uuidFrom(random),
            userId: student.id,
            moduleId: module.id,
            startedAtMs: plan.firstDayMs + day * DAY + minuteOfDay * MINUTE,
            visits,
            states,
          },
          random,
        ),
      );
    }
  }
  return windows;
}

/** EyeLearn's tables of people and lessons, filled with the school above. */
export async function createSchoolTables(connection: Connection): Promise<void> {
  await createPeopleTables(connection);
  await connection.query(
    'INSERT INTO users (id, first_name, last_name, email, section, role, camera_agreement_accepted) VALUES ?',
    [
      [
        [TEACHER.id, TEACHER.firstName, TEACHER.lastName, 'teresa@school.example', null, 'admin', 0],
        ...STUDENTS.map(({ id, firstName, lastName, className }) => [
          id,
          firstName,
          lastName,
          `student${id}@school.example`,
          className,
          'student',
          1,
        ]),
      ],
    ],
  );
  await connection.query('INSERT INTO modules (id, title) VALUES ?', [MODULES.map(({ id, title }) => [id, title])]);
  await connection.query('INSERT INTO module_parts (id, module_id, title) VALUES ?', [
    MODULES.map(({ id, title }) => [id, id, title]),
  ]);
  await connection.query('INSERT INTO module_sections (id, module_part_id, subtitle) VALUES ?', [
    MODULES.flatMap((module) => module.sections.map(({ id, title }) => [id, module.id, title])),
  ]);
}
