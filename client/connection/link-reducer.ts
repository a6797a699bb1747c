import type { ServerControl } from '../../shared/protocol/control.ts';
import { CLOSE } from '../../shared/protocol/errors.ts';
import { SUBPROTOCOL } from '../../shared/protocol/version.ts';
import { beginClock, CLOCK_STOPPED, readClock, resumeClock } from './capture-clock.ts';
import { guidanceFromLimits } from './guidance.ts';
import type { CaptureStart, EndReason, LinkEffect, LinkEvent, LinkRules, LinkState, LinkStep } from './link-state.ts';

/** A connection that lived this long counts as good: the next attempt after it comes soon. */
const GOOD_AFTER_MS = 10_000;

/** A ticket may expire on its way; that many fresh ones in a row refused are no accident. */
const TICKETS_TRIED = 3;

/**
 * The life of a connection as a pure function: what an event makes of the state, and what is to be
 * done. Events of an older attempt (`generation`) change nothing.
 */
export function stepLink(state: LinkState, event: LinkEvent, rules: LinkRules): LinkStep {
  if ('generation' in event && event.generation !== state.generation) return stay(state);
  if (state.phase.name === 'ended') return stay(state);
  switch (event.type) {
    case 'connect':
      return state.phase.name === 'idle' ? attempt({ ...state, offlineSinceMs: event.nowMs }) : stay(state);
    case 'retry':
      return state.phase.name === 'waiting' ? attempt(state) : stay(state);
    case 'ticket':
      if (state.phase.name !== 'ticket') return stay(state);
      return {
        state: { ...state, phase: { name: 'opening', ticket: event.ticket } },
        effects: [{ type: 'open_socket' }],
      };
    case 'ticket_failed': {
      const next = event.fault.retry ? retryLater(state, event.nowMs, rules) : end(state, 'ticket_refused');
      return { state: next.state, effects: [{ type: 'fault', fault: event.fault }, ...next.effects] };
    }
    case 'opened':
      return greet(state, rules);
    case 'control':
      return onControl(state, event.message, event.nowMs);
    case 'acknowledged':
      return stay({ ...state, failures: 0, guidance: event.guidance });
    case 'closed':
      return onClosed(state, event.code, event.nowMs, rules);
    case 'silence':
      return state.phase.name === 'waiting' || state.phase.name === 'idle'
        ? stay(state)
        : retryLater(state, event.nowMs, rules);
    case 'start':
      return goOn(state, event.wanted, event.nowMs);
    case 'section':
      return changeSection(state, event.sectionId, event.nowMs);
    case 'stop':
      return stop(state, event.nowMs, event.kept);
    case 'emptied':
      return tellStop(state);
    case 'close':
      return end(state, 'closed');
  }
}

function stay(state: LinkState): LinkStep {
  return { state, effects: [] };
}

function attempt(state: LinkState): LinkStep {
  return {
    state: { ...state, phase: { name: 'ticket' }, generation: state.generation + 1, features: [] },
    effects: [{ type: 'get_ticket' }],
  };
}

function greet(state: LinkState, rules: LinkRules): LinkStep {
  if (state.phase.name !== 'opening') return stay(state);
  const { ticket } = state.phase;
  return {
    state: { ...state, phase: { name: 'greeting' } },
    effects: [
      {
        type: 'send',
        message: {
          type: 'hello',
          protocol: SUBPROTOCOL,
          ticket,
          resume: state.resumeToken,
          client: rules.client,
          device: rules.device,
          // A gateway of the first v1 refuses the field; without a feature there is nothing to say.
          ...(rules.features.length === 0 ? {} : { features: [...rules.features] }),
        },
      },
    ],
  };
}

function onControl(state: LinkState, message: ServerControl, nowMs: number): LinkStep {
  switch (message.type) {
    case 'welcome': {
      if (state.phase.name !== 'greeting') return stay(state);
      const welcomed: LinkState = {
        ...state,
        phase: { name: 'live', sinceMs: nowMs, startSent: false, stopping: false },
        offlineSinceMs: null,
        everWelcomed: true,
        ticketsRefused: 0,
        resumeToken: message.resume,
        sessionId: message.sessionId,
        clock: message.resumed ? resumeClock(state.clock, message.clockMs, nowMs) : CLOCK_STOPPED,
        moves: message.resumed ? state.moves : [],
        owedStop: message.resumed ? state.owedStop : null,
        guidance: guidanceFromLimits(message.limits, null),
        features: message.features,
      };
      const next = start(welcomed, nowMs);
      const unanswered = state.owedStop !== null && welcomed.owedStop === null ? UNANSWERED : [];
      return { state: next.state, effects: [{ type: 'welcome', message }, ...unanswered, ...next.effects] };
    }
    case 'limits':
      return stay({ ...state, guidance: guidanceFromLimits(message.limits, state.guidance?.nextCrop ?? null) });
    case 'stopped': {
      if (state.phase.name !== 'live') return stay(state);
      const effects: LinkEffect[] = [{ type: 'stopped', message }];
      // Capture may have been started again before the answer to the stop came.
      if (!state.phase.stopping) return { state, effects };
      const phase = { ...state.phase, startSent: false, stopping: false };
      return { state: { ...state, owedStop: null, phase }, effects };
    }
    case 'error': {
      const { code, fatal, retry, seq } = message;
      const fault: LinkEffect = { type: 'fault', fault: { code, message: message.message, fatal, retry, seq } };
      // The close frame that follows may get lost: a final fault ends the connection by itself.
      if (fatal && !retry) {
        const next = end(state, code === 'superseded' ? 'superseded' : 'refused');
        return { state: next.state, effects: [fault, ...next.effects] };
      }
      return { state, effects: [fault] };
    }
    case 'calibrated':
    case 'calibration_refused':
      return { state, effects: [{ type: 'calibration', message }] };
    case 'started':
      return stay(state);
  }
}

/** Capture begins, or goes on after a stop. One that was not told yet is forgotten: the pause is untracked time then. */
function goOn(state: LinkState, wanted: CaptureStart, nowMs: number): LinkStep {
  const { owedStop, phase } = state;
  if (owedStop === null) return start({ ...state, wanted }, nowMs);
  const wasTold = phase.name === 'live' && phase.stopping;
  const back: LinkState = { ...state, wanted: owedStop.capture, owedStop: null };
  // What is kept belongs to the section that it was captured in.
  const moved = wasTold ? stay(back) : changeSection(back, wanted.sectionId, nowMs);
  const next = start({ ...moved.state, wanted }, nowMs);
  return { state: next.state, effects: [...moved.effects, ...(wasTold ? [] : UNANSWERED), ...next.effects] };
}

/**
 * Sends the `start` of what is wanted, or of what was until a stop that is owed, where there is one and the connection
 * is up. Sections that the student came through meanwhile are told with their moments: what was captured in them follows
 * late.
 */
function start(state: LinkState, nowMs: number): LinkStep {
  const capture = state.wanted ?? state.owedStop?.capture ?? null;
  if (capture === null || state.phase.name !== 'live') return stay(state);
  const clock = beginClock(state.clock, nowMs);
  // Whatever crop was good before the pause or for the old frame size says nothing now.
  const guidance = state.guidance === null ? null : { ...state.guidance, nextCrop: null };
  const [first] = state.moves;
  const sectionId = first === undefined ? capture.sectionId : first.fromSectionId;
  const began: LinkEffect = {
    type: 'send',
    message: { type: 'start', ...capture, sectionId, atMs: readClock(clock, nowMs) ?? 0 },
  };
  const moved = state.moves.map(
    (move): LinkEffect => ({
      type: 'send',
      message: { type: 'section', sectionId: move.sectionId, atMs: move.atMs },
    }),
  );
  return {
    state: { ...state, clock, guidance, moves: [], phase: { ...state.phase, startSent: true, stopping: false } },
    effects: [began, ...moved],
  };
}

function changeSection(state: LinkState, sectionId: number | null, nowMs: number): LinkStep {
  if (state.wanted === null || state.wanted.sectionId === sectionId) return stay(state);
  const wanted: CaptureStart = { ...state.wanted, sectionId };
  const atMs = readClock(state.clock, nowMs);
  // Before the clock began nothing was captured in the old section.
  if (atMs === null) return stay({ ...state, wanted });
  if (state.phase.name === 'live' && state.phase.startSent) {
    return { state: { ...state, wanted }, effects: [{ type: 'send', message: { type: 'section', sectionId, atMs } }] };
  }
  const move = { fromSectionId: state.wanted.sectionId, sectionId, atMs };
  return stay({ ...state, wanted, moves: [...state.moves, move] });
}

/** Whoever waits for the answer to a stop waits no longer. */
const UNANSWERED: readonly LinkEffect[] = [{ type: 'stopped', message: null }];

/**
 * Capture ends now. The gateway is told once it is there and has what was captured before: at once where that is so.
 */
function stop(state: LinkState, nowMs: number, kept: boolean): LinkStep {
  const { wanted } = state;
  const atMs = readClock(state.clock, nowMs);
  const quiet = { ...state, wanted: null };
  if (wanted === null || atMs === null) {
    return state.owedStop === null ? { state: quiet, effects: UNANSWERED } : stay(state);
  }
  const owing: LinkState = { ...quiet, owedStop: { capture: wanted, atMs } };
  return kept ? stay(owing) : tellStop(owing);
}

/** Tells of the stop that is owed, where there is one and the gateway is there to hear it. */
function tellStop(state: LinkState): LinkStep {
  const { owedStop, phase } = state;
  if (owedStop === null || phase.name !== 'live' || !phase.startSent || phase.stopping) return stay(state);
  return {
    state: { ...state, phase: { ...phase, stopping: true } },
    effects: [{ type: 'send', message: { type: 'stop', atMs: owedStop.atMs } }],
  };
}

const FINAL_CLOSES: ReadonlyMap<number, EndReason> = new Map([
  [CLOSE.protocolViolation, 'refused'],
  [CLOSE.forbidden, 'refused'],
  [CLOSE.superseded, 'superseded'],
]);

function onClosed(state: LinkState, code: number, nowMs: number, rules: LinkRules): LinkStep {
  const reason = FINAL_CLOSES.get(code);
  if (reason !== undefined) return end(state, reason);
  if (state.phase.name === 'waiting' || state.phase.name === 'idle') return stay(state);
  if (code !== CLOSE.unauthorized) return retryLater({ ...state, ticketsRefused: 0 }, nowMs, rules);
  const ticketsRefused = state.ticketsRefused + 1;
  if (ticketsRefused >= TICKETS_TRIED) return end(state, 'ticket_refused');
  return retryLater({ ...state, ticketsRefused }, nowMs, rules);
}

function retryLater(state: LinkState, nowMs: number, rules: LinkRules): LinkStep {
  const { phase } = state;
  const wasGood = phase.name === 'live' && nowMs - phase.sinceMs >= GOOD_AFTER_MS;
  const failures = wasGood ? 1 : state.failures + 1;
  const offlineSinceMs = state.offlineSinceMs ?? nowMs;
  const limitMs = state.everWelcomed ? rules.outageLimitMs : rules.connectWithinMs;
  const leftMs = limitMs === null ? null : limitMs - (nowMs - offlineSinceMs);
  if (leftMs !== null && leftMs <= 0) return end(state, 'unreachable');
  return {
    // The generation moves on, so that the given-up socket's last words find no ear.
    state: { ...state, phase: { name: 'waiting' }, failures, offlineSinceMs, generation: state.generation + 1 },
    effects: [
      { type: 'drop_socket', code: null },
      { type: 'schedule_retry', failures, withinMs: leftMs },
    ],
  };
}

function end(state: LinkState, reason: EndReason): LinkStep {
  const { owedStop } = state;
  // Whatever is kept then is lost; the gateway still learns when capture ended.
  const lastWords = reason === 'closed' ? tellStop(state).effects : [];
  return {
    state: {
      ...state,
      phase: { name: 'ended', reason },
      wanted: null,
      owedStop: null,
      generation: state.generation + 1,
    },
    effects: [
      ...lastWords,
      { type: 'drop_socket', code: CLOSE.normal },
      ...(owedStop === null ? [] : UNANSWERED),
      { type: 'ended', reason },
    ],
  };
}
