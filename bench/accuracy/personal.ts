import { NO_CENTRE, type OwnCentre } from '../../shared/focus/own-centre.ts';
import { createFocusTracker, judgeSample } from '../../shared/focus/tracker.ts';
import type { Verdict } from '../../shared/vision/verdict.ts';
import { NO_SUBJECT, type SeenRow } from './labels.ts';

/** Fewer pictures say too little of how someone's gaze is read. */
const MIN_PICTURES = 30;
/** How long one picture stands for. */
const PICTURE_MS = 1000;

function judgeWith(row: SeenRow, centre: OwnCentre): { readonly verdict: Verdict; readonly centre: OwnCentre } {
  const state = createFocusTracker({ rule: 'geometric', view: { camera: row.frame, screen: null }, centre });
  return judgeSample(state, { atMs: 0, observation: row.observation }, PICTURE_MS);
}

/**
 * Verdicts of the pictures of subjects who have MIN_PICTURES or more, by each one's own centre, learnt from all of
 * their pictures as a session learns it. Labels are not used.
 */
export function personalVerdicts(rows: readonly SeenRow[]): ReadonlyMap<SeenRow, Verdict> {
  const verdicts = new Map<SeenRow, Verdict>();
  for (const subject of new Set(rows.map((row) => row.subject))) {
    const own = rows.filter((row) => row.subject === subject);
    if (subject === NO_SUBJECT || own.length < MIN_PICTURES) continue;
    const centre = own.reduce((learnt, row) => judgeWith(row, learnt).centre, NO_CENTRE);
    for (const row of own) verdicts.set(row, judgeWith(row, centre).verdict);
  }
  return verdicts;
}
