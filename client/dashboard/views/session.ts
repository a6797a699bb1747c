import type { z } from 'zod';
import { RelayError } from '../../../shared/errors.ts';
import type { Suspect } from '../../../shared/metrics-window.ts';
import type { Detail } from '../../../shared/report/figures.ts';
import { type Report, sessionAnswerSchema } from '../../../shared/report/session.ts';
import { duration } from '../../page/format.ts';
import { trackedMs } from '../../page/proportion.ts';
import { el } from '../element.ts';
import { moduleName, momentText, SUSPECT_WORDS, studentName } from '../labels.ts';
import { card, commonTiles, detailCards, pageHead, summaryCard } from '../parts/cards.ts';
import { stackChart } from '../parts/charts.ts';
import { sessionStrip, stretchesTable } from '../parts/strip.ts';
import { tableInstead } from '../parts/table.ts';
import { placementWords, sinceStart, summariseBouts, timeline, timesOfReport } from '../session-figures.ts';
import type { View, ViewContext } from '../view.ts';

const MOST_BARS = 60;

function detailOf(report: Report): Detail {
  const tracked = trackedMs(timesOfReport(report));
  const focused = summariseBouts(report.bouts, 'focused');
  const away = summariseBouts(report.bouts, 'unfocused');
  return {
    ...report,
    sessions: 1,
    students: 1,
    trackedMs: tracked,
    focusShare: tracked === 0 ? null : report.focusedMs / tracked,
    focusedBouts: focused.count,
    unfocusedBouts: away.count,
    longestFocusedBoutMs: focused.longestMs,
    medianFocusedBoutMs: focused.medianMs,
    medianUnfocusedBoutMs: away.medianMs,
    longestUnfocusedBoutMs: away.longestMs,
  };
}

/** A session that has just ended is stored within seconds: it is asked for again so often, that far apart. */
const ATTEMPTS = 5;
const PAUSE_MS = 1500;

async function storedSession({ api }: ViewContext, path: string): Promise<z.output<typeof sessionAnswerSchema>> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await api.get(sessionAnswerSchema, path);
    } catch (error) {
      const isMissing = error instanceof RelayError && error.code === 'session_unknown';
      if (!isMissing || attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/** What a teacher is to judge: the figures are counted as they came. */
function suspectNote(suspect: Suspect): HTMLElement {
  return el(
    'p',
    { class: 'card notice', role: 'note' },
    `These observations came from the student’s device and cannot come from a live camera: ${SUSPECT_WORDS[suspect]}. They are counted all the same; it is for you to judge.`,
  );
}

/** One session with its time line. */
export async function sessionView(context: ViewContext, sessionId: string): Promise<View> {
  const path = `/api/v1/sessions/${encodeURIComponent(sessionId)}`;
  const { report, names } = await storedSession(context, path);
  const figures = detailOf(report);
  const student = studentName({ name: names.student, userId: report.userId });
  const module = moduleName(names.module, report.moduleId);
  const title = `${student}, ${module}`;
  const bars = timeline(report.windows, MOST_BARS);
  const placement = placementWords(report.windows, duration);
  const staff = context.reader.role !== 'student';
  const head = pageHead(module, {
    above: [
      ...(staff ? [['Students', context.link({ page: 'students' })] as const] : []),
      [student, context.link({ page: 'student', userId: report.userId })],
    ],
    meta: [
      momentText(report.startedAtMs, context.timeZone),
      duration(report.endedAtMs - report.startedAtMs),
      ...(placement === null ? [] : [placement]),
      ...(report.final ? [] : ['still open']),
    ].join(' · '),
  });
  const tiles = [
    ...commonTiles(figures).filter(([name]) => name !== 'Sessions'),
    ['Median focus', duration(figures.medianFocusedBoutMs)] as const,
    ['Lasted', duration(report.endedAtMs - report.startedAtMs)] as const,
    ...(report.lateMs > 0 ? [['Sent late', duration(report.lateMs)] as const] : []),
  ];
  const at = (index: number) => (bars[index]?.startedAtMs ?? report.startedAtMs) - report.startedAtMs;
  const content = el(
    'div',
    { class: 'view' },
    head,
    ...(report.suspect === null ? [] : [suspectNote(report.suspect)]),
    summaryCard(context, figures, tiles, { path, query: {} }),
    card(
      context,
      'Time line',
      { note: 'stretches as they were, with gaps' },
      sessionStrip(report, names),
      tableInstead(stretchesTable(report)),
    ),
    card(
      context,
      'Over time',
      { note: 'seconds by kind', csv: { path, query: {} } },
      stackChart(context, `Bar chart over ${bars.length} intervals of the session.`, {
        labels: bars.map((_bar, index) => sinceStart(at(index))),
        bars: bars.map(({ times }) => times),
        unitMs: 1000,
        unit: 'Seconds',
        along: 'Time since the session began',
        title: (index) =>
          `${sinceStart(at(index))} – ${sinceStart((bars[index]?.endedAtMs ?? 0) - report.startedAtMs)}`,
      }),
    ),
    detailCards(context, figures),
  );
  return { title, content };
}
