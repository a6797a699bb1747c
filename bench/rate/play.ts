import { CALM_WITHIN, LARGE_MOVEMENT, REAL_FRAME_EVERY_MS, SAME_WITHIN } from '../../client/capture/picture-diff.ts';
import { QUICK_MS, RestRule } from '../../client/capture/rest-rule.ts';
import { hasChanged, hasMovedFar } from '../../client/device/observation-diff.ts';
import { openAccount } from '../../gateway/session/account.ts';
import { openConnection, reduceConnection } from '../../gateway/session/connection/reduce.ts';
import type { ConnectionEvent, ConnectionState } from '../../gateway/session/connection/state.ts';
import type { FocusState, Mode } from '../../shared/direction.ts';
import type { FaceObservation } from '../../shared/observation.ts';
import { FEATURES } from '../../shared/protocol/features.ts';
import type { ClientMessage } from '../../shared/protocol/frames.ts';
import type { Update } from '../../shared/protocol/update.ts';
import { type Activity, differenceOf, type Moment, observe, STEP_MS } from './lesson.ts';

const T0 = 1_700_000_000_000;
/** From a picture's capture to its update in the page. */
const ANSWER_MS = 40;
const LIMITS = { maxFps: 10, credit: 2, imageSizePx: 192, maxFrameBytes: 65_536 };
const CAMERA = { widthPx: 640, heightPx: 480 };

/** What came of a lesson. */
export interface Played {
  /** Pictures that the page sent, or observations in device mode. */
  readonly inferences: number;
  readonly inferencesBy: Readonly<Record<Activity, number>>;
  readonly sames: number;
  readonly lengthMs: number;
  readonly focusedMs: number;
  readonly unfocusedMs: number;
  /** What the page was told, and when, ms. */
  readonly told: readonly { readonly atMs: number; readonly state: FocusState }[];
}

/** How a page sends: it compares pictures, or in device mode observations, `checksPerSecond` times; `calm` false: it sends every one. */
export interface PageRule {
  readonly mode: Mode;
  readonly checksPerSecond: number;
  readonly calm: boolean;
}

/** A picture that a page has taken; in device mode with what was measured of it. */
interface Sent {
  readonly moment: Moment;
  readonly atMs: number;
  readonly observation: FaceObservation | null;
}

const NEW = { isSame: false, moved: false } as const;

/** What a page finds between the picture that it sent last and this one. */
function compare(sent: Sent, now: Sent, rests: boolean, random: () => number): { isSame: boolean; moved: boolean } {
  if (sent.observation !== null && now.observation !== null) {
    const isSame = rests && !hasChanged(sent.observation, now.observation);
    return { isSame, moved: hasMovedFar(sent.observation, now.observation) };
  }
  if (now.atMs - sent.atMs >= REAL_FRAME_EVERY_MS) return NEW;
  const difference = differenceOf(sent.moment, now.moment, random);
  return { isSame: difference <= (rests ? CALM_WITHIN : SAME_WITHIN), moved: difference > LARGE_MOVEMENT };
}

/** A page before the gateway's own reducer. */
export function play(
  lesson: readonly Moment[],
  { mode, checksPerSecond, calm }: PageRule,
  random: () => number,
): Played {
  let state: ConnectionState = openConnection(T0);
  let nowMs = T0;
  let update: Update | null = null;
  const told: { atMs: number; state: FocusState }[] = [];
  let inferences = 0;
  const inferencesBy: Record<Activity, number> = { still: 0, reading: 0, moving: 0, away: 0 };
  let sames = 0;
  let shown: Moment | null = null;
  const dispatch = (event: ConnectionEvent): void => {
    const step = reduceConnection(state, event, {
      nowMs,
      limits: LIMITS,
      maxFps: LIMITS.maxFps,
      windowMs: 30_000,
      allowedModes: ['server', 'device'],
      lateMaxMs: 600_000,
      dayEndsMs: [],
      features: FEATURES,
    });
    state = step.state;
    for (const effect of step.effects) {
      if (effect.type === 'update') {
        update = effect.update;
        const atMs = effect.update.captureMs + ANSWER_MS;
        if (told.at(-1)?.state !== effect.update.state) told.push({ atMs, state: effect.update.state });
      } else if (effect.type === 'infer' && shown !== null) {
        inferences += 1;
        inferencesBy[shown.activity] += 1;
        dispatch({ type: 'observed', frame: effect.frame, observation: observe(shown, random) });
      }
    }
  };
  const hello = {
    type: 'hello',
    protocol: 'gaze-relay.v1',
    ticket: 't',
    resume: null,
    client: 'c',
    device: null,
  } as const;
  dispatch({ type: 'control', message: { ...hello, features: [...FEATURES] } });
  const account = openAccount({ sessionId: 's', userId: 1, moduleId: 1, rule: 'geometric' });
  dispatch({ type: 'admitted', account, resumed: false, resumeToken: 'r', lateToken: 'l' });
  dispatch({ type: 'control', message: { type: 'start', camera: CAMERA, sectionId: null, mode, atMs: 0 } });

  let seq = 0;
  let sent: Sent | null = null;
  const rest = new RestRule();
  const everySteps = Math.round(1000 / checksPerSecond / STEP_MS);
  for (let step = 0; step < lesson.length; step += rest.isQuick(step * STEP_MS) ? QUICK_MS / STEP_MS : everySteps) {
    const moment = lesson[step];
    if (moment === undefined) break;
    const captureMs = step * STEP_MS;
    nowMs = T0 + captureMs;
    const rests = calm && rest.rests(captureMs, (update as Update | null)?.maxFps ?? checksPerSecond);
    const observation = mode === 'device' ? observe(moment, random) : null;
    const now: Sent = { moment, atMs: captureMs, observation };
    const { isSame, moved } = calm && sent !== null ? compare(sent, now, rests, random) : NEW;
    if (isSame && rests) {
      rest.unchangedMs = captureMs;
      continue;
    }
    const { unchangedMs } = rest;
    if (rests && unchangedMs !== null) {
      sames += 1;
      const until = { kind: 'same', seq: seq++ & 0xffff, captureMs: unchangedMs, late: false } as const;
      dispatch({ type: 'message', message: until, bytes: 16, digest: null });
    }
    rest.sent(captureMs);
    const header = { seq: seq++ & 0xffff, captureMs, late: false } as const;
    shown = moment;
    if (isSame) {
      sames += 1;
      dispatch({ type: 'message', message: { kind: 'same', ...header }, bytes: 16, digest: null });
      continue;
    }
    if (moved) rest.moved(captureMs);
    sent = now;
    if (observation !== null) {
      inferences += 1;
      inferencesBy[moment.activity] += 1;
      dispatch({ type: 'message', message: { kind: 'observation', ...header, observation }, bytes: 56, digest: seq });
      continue;
    }
    const message: ClientMessage = {
      kind: 'frame',
      ...header,
      codec: 'webp',
      crop: { xPx: 0, yPx: 0, ...CAMERA },
      fullFrame: true,
      image: Uint8Array.of(1),
    };
    dispatch({ type: 'message', message, bytes: 800, digest: seq });
  }
  const lengthMs = lesson.length * STEP_MS;
  nowMs = T0 + lengthMs;
  dispatch({ type: 'control', message: { type: 'stop', atMs: lengthMs } });
  const final = state as ConnectionState;
  const totals = 'account' in final ? final.account.tracker.account.totals : null;
  if (totals === null) throw new Error('the session has no account');
  const { focusedMs, unfocusedMs } = totals;
  return { inferences, inferencesBy, sames, lengthMs, focusedMs, unfocusedMs, told };
}

/** From each true change between looking at the screen and not to the update that says so, ms; changes that are taken back within 1.5 s are left out. */
export function changeDelaysMs(lesson: readonly Moment[], { told }: Played): readonly number[] {
  const delays: number[] = [];
  const steady = 1500 / STEP_MS;
  for (let step = 1; step < lesson.length - steady; step += 1) {
    const isFocused = lesson[step]?.isFocused;
    if (isFocused === lesson[step - 1]?.isFocused) continue;
    if (lesson.slice(step, step + steady).some((moment) => moment.isFocused !== isFocused)) continue;
    const atMs = step * STEP_MS;
    const wanted = isFocused ? 'focused' : 'unfocused';
    const before = told.findLast((each) => each.atMs <= atMs)?.state;
    const after = told.find((each) => each.atMs > atMs && each.state === wanted);
    if (before !== wanted && after !== undefined) delays.push(after.atMs - atMs);
  }
  return delays;
}
