import type { ServerControl } from '../../shared/protocol/control.ts';
import { CLOSE } from '../../shared/protocol/errors.ts';
import { SUBPROTOCOL } from '../../shared/protocol/version.ts';
import { beginClock, CLOCK_STOPPED, readClock, resumeClock } from './capture-clock.ts';
import { guidanceFromLimits } from './guidance.ts';
import type { CaptureStart, EndReason, LinkEffect, LinkEvent, LinkRules, LinkState, LinkStep } from './link-state.ts';

/** After a connection that lasted this long, backoff starts from the beginning. */
const GOOD_AFTER_MS = 10_000;

/** One ticket may expire on its way; after this many refused in a row the connection ends. */
const MAX_TICKETS_REFUSED = 3;
/** Switches of an outage that are kept apart: the gateway takes so many text messages at once (PROTOCOL.md, C-6). */
const MAX_SECTION_SWITCHES = 100;

/**
 * The connection as a pure function: the next state, and the effects to perform. Events of an older attempt
 * (`generation`) are ignored.
 */
export function stepLink(state: LinkState, event: LinkEvent, rules: LinkRules): LinkStep {
  if ('generation' in event && event.generation !== state.generation) return next(state);
  if (state.phase.name === 'ended') return next(state);
  switch (event.type) {
    case 'connect':
      return state.phase.name === 'idle' ? attempt({ ...state, offlineSinceMs: event.nowMs }) : next(state);
    case 'retry':
      return state.phase.name === 'waiting' ? attempt(state) : next(state);
    case 'ticket':
      if (state.phase.name !== 'ticket') return next(state);
      return {
        state: { ...state, phase: { name: 'opening', ticket: event.ticket } },
        effects: [{ type: 'open_socket' }],
      };
    case 'ticket_failed': {
      const step = event.fault.retry ? retryLater(state, event.nowMs, rules) : end(state, 'ticket_refused');
      return next(step.state, [{ type: 'fault', fault: event.fault }, ...step.effects]);
    }
    case 'opened':
      return greet(state, rules);
    case 'control':
      return onControl(state, event.message, event.nowMs);
    case 'acknowledged':
      return next({ ...state, failures: 0, guidance: event.guidance });
    case 'closed':
      return onClosed(state, event.code, event.nowMs, rules);
    case 'silence':
      return state.phase.name === 'waiting' || state.phase.name === 'idle'
        ? next(state)
        : retryLater(state, event.nowMs, rules);
    case 'start':
      return resumeCapture(state, event.wanted, event.nowMs);
    case 'section':
      return changeSection(state, event.sectionId, event.nowMs);
    case 'stop':
      return stop(state, event);
    case 'outbox_drained':
      return sendPendingStop(state);
    case 'close':
      return end(state, 'closed');
  }
}

function next(state: LinkState, effects: readonly LinkEffect[] = []): LinkStep {
  return { state, effects };
}

function attempt(state: LinkState): LinkStep {
  return {
    state: { ...state, phase: { name: 'ticket' }, generation: state.generation + 1, features: [] },
    effects: [{ type: 'get_ticket' }],
  };
}

function greet(state: LinkState, rules: LinkRules): LinkStep {
  if (state.phase.name !== 'opening') return next(state);
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
      if (state.phase.name !== 'greeting') return next(state);
      const welcomed: LinkState = {
        ...state,
        phase: { name: 'live', sinceMs: nowMs, startSent: false, stopping: false },
        offlineSinceMs: null,
        everWelcomed: true,
        ticketsRefused: 0,
        resumeToken: message.resume,
        sessionId: message.sessionId,
        clock: message.resumed ? resumeClock(state.clock, message.clockMs, nowMs) : CLOCK_STOPPED,
        sectionSwitches: message.resumed ? state.sectionSwitches : [],
        pendingStop: message.resumed ? state.pendingStop : null,
        guidance: guidanceFromLimits(message.limits, null),
        features: message.features,
      };
      const started = start(welcomed, nowMs);
      const unanswered = state.pendingStop !== null && welcomed.pendingStop === null ? UNANSWERED : [];
      return next(started.state, [{ type: 'welcome', message }, ...unanswered, ...started.effects]);
    }
    case 'limits':
      return next({ ...state, guidance: guidanceFromLimits(message.limits, state.guidance?.nextCrop ?? null) });
    case 'stopped': {
      if (state.phase.name !== 'live') return next(state);
      const effects: LinkEffect[] = [{ type: 'stopped', message }];
      // Capture may have been started again before the answer to the stop came.
      if (!state.phase.stopping) return next(state, effects);
      const phase = { ...state.phase, startSent: false, stopping: false };
      return next({ ...state, pendingStop: null, phase }, effects);
    }
    case 'error': {
      const { code, fatal, retry, seq } = message;
      const fault: LinkEffect = { type: 'fault', fault: { code, message: message.message, fatal, retry, seq } };
      // The close frame that follows may get lost: a fatal fault without retry ends the connection here.
      if (fatal && !retry) {
        const ended = end(state, code === 'superseded' ? 'superseded' : 'refused');
        return next(ended.state, [fault, ...ended.effects]);
      }
      return next(state, [fault]);
    }
    case 'calibrated':
    case 'calibration_refused':
      return next(state, [{ type: 'calibration', message }]);
    case 'started':
      return next(state);
  }
}

/**
 * Capture starts, or resumes after a stop. A stop that was not sent yet is dropped: the pause is untracked time then.
 */
function resumeCapture(state: LinkState, wanted: CaptureStart, nowMs: number): LinkStep {
  const { pendingStop, phase } = state;
  if (pendingStop === null) return start({ ...state, wanted }, nowMs);
  const wasSent = phase.name === 'live' && phase.stopping;
  const restored: LinkState = { ...state, wanted: pendingStop.capture, pendingStop: null };
  // What is queued belongs to the section that it was captured in.
  const switched = wasSent ? next(restored) : changeSection(restored, wanted.sectionId, nowMs);
  const started = start({ ...switched.state, wanted }, nowMs);
  return next(started.state, [...switched.effects, ...(wasSent ? [] : UNANSWERED), ...started.effects]);
}

/**
 * Sends `start` for the capture that is wanted, or that a pending stop ended, if there is one and the connection is up.
 * Section switches of the outage follow with their times, because what was captured in those sections is sent late.
 */
function start(state: LinkState, nowMs: number): LinkStep {
  const capture = state.wanted ?? state.pendingStop?.capture ?? null;
  if (capture === null || state.phase.name !== 'live') return next(state);
  const clock = beginClock(state.clock, nowMs);
  // A crop from before the pause, or for another frame size, is no longer valid.
  const guidance = state.guidance === null ? null : { ...state.guidance, nextCrop: null };
  const [first] = state.sectionSwitches;
  const sectionId = first === undefined ? capture.sectionId : first.fromSectionId;
  const { screen, ...captured } = capture;
  const startEffect: LinkEffect = {
    type: 'send',
    message: {
      type: 'start',
      ...captured,
      ...(state.features.includes('screen') && { screen }),
      sectionId,
      atMs: readClock(clock, nowMs) ?? 0,
    },
  };
  const switches = state.sectionSwitches.map(
    ({ sectionId, atMs }): LinkEffect => ({
      type: 'send',
      message: { type: 'section', sectionId, atMs },
    }),
  );
  return {
    state: {
      ...state,
      clock,
      guidance,
      sectionSwitches: [],
      phase: { ...state.phase, startSent: true, stopping: false },
    },
    effects: [startEffect, ...switches],
  };
}

function changeSection(state: LinkState, sectionId: number | null, nowMs: number): LinkStep {
  if (state.wanted === null || state.wanted.sectionId === sectionId) return next(state);
  const wanted: CaptureStart = { ...state.wanted, sectionId };
  const atMs = readClock(state.clock, nowMs);
  // Before the clock started, nothing was captured in the old section.
  if (atMs === null) return next({ ...state, wanted });
  if (state.phase.name === 'live' && state.phase.startSent) {
    return next({ ...state, wanted }, [{ type: 'send', message: { type: 'section', sectionId, atMs } }]);
  }
  const last = state.sectionSwitches.at(-1);
  const kept = state.sectionSwitches.slice(0, MAX_SECTION_SWITCHES - 1);
  const sectionSwitch =
    last === undefined || kept.length === state.sectionSwitches.length
      ? { fromSectionId: state.wanted.sectionId, sectionId, atMs }
      : { ...last, sectionId };
  return next({ ...state, wanted, sectionSwitches: [...kept, sectionSwitch] });
}

/** Resolves stop() without the gateway's totals. */
const UNANSWERED: readonly LinkEffect[] = [{ type: 'stopped', message: null }];

/** Capture ends now. `stop` is sent as soon as the connection is up and everything queued has been delivered. */
function stop(state: LinkState, { nowMs, hasQueued, reason }: Extract<LinkEvent, { type: 'stop' }>): LinkStep {
  const { wanted } = state;
  const atMs = readClock(state.clock, nowMs);
  const stopped = { ...state, wanted: null };
  if (wanted === null || atMs === null) {
    return state.pendingStop === null ? next(stopped, UNANSWERED) : next(state);
  }
  const pending: LinkState = { ...stopped, pendingStop: { capture: wanted, atMs, reason } };
  return hasQueued ? next(pending) : sendPendingStop(pending);
}

/** Sends the pending stop, if there is one and capture has been announced on this connection. */
function sendPendingStop(state: LinkState): LinkStep {
  const { pendingStop, phase } = state;
  if (pendingStop === null || phase.name !== 'live' || !phase.startSent || phase.stopping) return next(state);
  const { atMs, reason } = pendingStop;
  const told = reason !== null && state.features.includes('pauses');
  return {
    state: { ...state, phase: { ...phase, stopping: true } },
    effects: [{ type: 'send', message: { type: 'stop', atMs, ...(told && { reason }) } }],
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
  if (state.phase.name === 'waiting' || state.phase.name === 'idle') return next(state);
  if (code !== CLOSE.unauthorized) return retryLater({ ...state, ticketsRefused: 0 }, nowMs, rules);
  const ticketsRefused = state.ticketsRefused + 1;
  if (ticketsRefused >= MAX_TICKETS_REFUSED) return end(state, 'ticket_refused');
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
    // Bump the generation: late events of the dropped socket are ignored.
    state: { ...state, phase: { name: 'waiting' }, failures, offlineSinceMs, generation: state.generation + 1 },
    effects: [
      { type: 'drop_socket', code: null },
      { type: 'schedule_retry', failures, withinMs: leftMs },
    ],
  };
}

function end(state: LinkState, reason: EndReason): LinkStep {
  const { pendingStop } = state;
  // What is still queued is lost; the gateway still gets the time when capture ended.
  const stopEffects = reason === 'closed' ? sendPendingStop(state).effects : [];
  return {
    state: {
      ...state,
      phase: { name: 'ended', reason },
      wanted: null,
      pendingStop: null,
      generation: state.generation + 1,
    },
    effects: [
      ...stopEffects,
      { type: 'drop_socket', code: CLOSE.normal },
      ...(pendingStop === null ? [] : UNANSWERED),
      { type: 'ended', reason },
    ],
  };
}
