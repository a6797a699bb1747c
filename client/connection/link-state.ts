import type { Mode } from '../../shared/direction.ts';
import type { ScreenHint } from '../../shared/focus/likely-screen.ts';
import type { FrameSize } from '../../shared/geometry.ts';
import type { PauseReason } from '../../shared/pause.ts';
import type { CalibrationAnswer } from '../../shared/protocol/calibration.ts';
import type { ClientControl, ServerControl } from '../../shared/protocol/control.ts';
import { type CaptureClock, CLOCK_STOPPED } from './capture-clock.ts';
import type { Guidance } from './guidance.ts';

/** What the page wants captured; sent again after every reconnect. */
export interface CaptureStart {
  readonly camera: FrameSize;
  readonly sectionId: number | null;
  readonly mode: Mode;
  /** What the page can tell of its screen; left out where there is no page. */
  readonly screen?: ScreenHint;
}

/** The student moved to another section while there was no connection. */
export interface SectionSwitch {
  readonly fromSectionId: number | null;
  readonly sectionId: number | null;
  /** Capture clock, whole ms. */
  readonly atMs: number;
}

/** Capture ended, and the gateway has not confirmed it yet. */
export interface PendingStop {
  /** What was captured until then: what is queued of it is sent after a `start` of its own. */
  readonly capture: CaptureStart;
  /** Capture clock, whole ms. */
  readonly atMs: number;
  /** Why, if capture is to continue; null at the session's end. */
  readonly reason: PauseReason | null;
}

/** Something went wrong. `code` is stable; `retry` says whether the client tries again by itself. */
export interface Fault {
  readonly code: string;
  readonly message: string;
  /** The connection ends with it. */
  readonly fatal: boolean;
  readonly retry: boolean;
  /** Sequence number of the refused picture, where there is one. */
  readonly seq: number | null;
}

/** Why a connection has ended permanently. */
export type EndReason =
  /** close() was called. */
  | 'closed'
  /** Another tab or device of the same student took over the session. */
  | 'superseded'
  /** The gateway refused this client permanently (no consent, a protocol fault). */
  | 'refused'
  /** No valid ticket: not logged in, no consent to the camera, or a wrong key. */
  | 'ticket_refused'
  /** The gateway could not be reached for longer than allowed. */
  | 'unreachable';

export type Phase =
  | { readonly name: 'idle' }
  | { readonly name: 'ticket' }
  | { readonly name: 'opening'; readonly ticket: string }
  | { readonly name: 'greeting' }
  | {
      readonly name: 'live';
      readonly sinceMs: number;
      /** A `start` went out on this connection: pictures may follow. */
      readonly startSent: boolean;
      readonly stopping: boolean;
    }
  | { readonly name: 'waiting' }
  | { readonly name: 'ended'; readonly reason: EndReason };

/** How the connection is doing, for the page. */
export type ConnectionPhase = 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'ended';

/** Everything that outlives a single socket. */
export interface LinkState {
  readonly phase: Phase;
  /** Counts attempts: events of an older socket, ticket or timer are ignored. */
  readonly generation: number;
  /** Failed attempts in a row. */
  readonly failures: number;
  /** Tickets in a row that the gateway refused. */
  readonly ticketsRefused: number;
  /** Since when there has been no welcome; null while live. */
  readonly offlineSinceMs: number | null;
  readonly everWelcomed: boolean;
  readonly resumeToken: string | null;
  readonly sessionId: string | null;
  readonly clock: CaptureClock;
  readonly wanted: CaptureStart | null;
  /** Section switches that have not been sent, in order. */
  readonly sectionSwitches: readonly SectionSwitch[];
  readonly pendingStop: PendingStop | null;
  readonly guidance: Guidance | null;
  /** What the newest `welcome` agreed on beyond the first v1: nothing else is sent. */
  readonly features: readonly string[];
}

export interface LinkRules {
  /** Name and version of the client, for the operator's log. */
  readonly client: string;
  /** UUID that the browser generated for itself, null without one. */
  readonly device: string | null;
  /** What this client has beyond the first v1 (V-2). */
  readonly features: readonly string[];
  /** Longest time to the first welcome before giving up, ms; null = never give up. */
  readonly connectWithinMs: number | null;
  /** Longest outage before giving up, ms; null = never give up. */
  readonly outageLimitMs: number | null;
}

export type LinkEvent =
  | { readonly type: 'connect'; readonly nowMs: number }
  | { readonly type: 'ticket'; readonly generation: number; readonly ticket: string }
  | {
      readonly type: 'ticket_failed';
      readonly generation: number;
      readonly fault: Fault;
      readonly nowMs: number;
    }
  | { readonly type: 'opened'; readonly generation: number }
  | {
      readonly type: 'control';
      readonly generation: number;
      readonly message: ServerControl;
      readonly nowMs: number;
    }
  | { readonly type: 'acknowledged'; readonly generation: number; readonly guidance: Guidance }
  | { readonly type: 'closed'; readonly generation: number; readonly code: number; readonly nowMs: number }
  /** No welcome, or no acknowledgement, in time: the link counts as dead, whatever the socket's state. */
  | { readonly type: 'silence'; readonly generation: number; readonly nowMs: number }
  | { readonly type: 'retry'; readonly generation: number }
  | { readonly type: 'start'; readonly wanted: CaptureStart; readonly nowMs: number }
  | { readonly type: 'section'; readonly sectionId: number | null; readonly nowMs: number }
  /** `hasQueued`: not everything captured before has been delivered; it must be before the stop is sent. */
  | {
      readonly type: 'stop';
      readonly nowMs: number;
      readonly hasQueued: boolean;
      readonly reason: PauseReason | null;
    }
  /** Nothing is queued any more. */
  | { readonly type: 'outbox_drained' }
  | { readonly type: 'close' };

export type LinkEffect =
  | { readonly type: 'get_ticket' }
  | { readonly type: 'open_socket' }
  | { readonly type: 'send'; readonly message: ClientControl }
  /** `code` for the close frame, or null for none. */
  | { readonly type: 'drop_socket'; readonly code: number | null }
  /** After backoff, but no later than `withinMs`: then it is the last attempt. Null = no limit. */
  | { readonly type: 'schedule_retry'; readonly failures: number; readonly withinMs: number | null }
  | { readonly type: 'fault'; readonly fault: Fault }
  | { readonly type: 'welcome'; readonly message: Extract<ServerControl, { type: 'welcome' }> }
  | { readonly type: 'stopped'; readonly message: Extract<ServerControl, { type: 'stopped' }> | null }
  /** The gateway's answer to a calibration. */
  | { readonly type: 'calibration'; readonly message: CalibrationAnswer }
  | { readonly type: 'ended'; readonly reason: EndReason };

export interface LinkStep {
  readonly state: LinkState;
  readonly effects: readonly LinkEffect[];
}

/** State before the first connect. `resumeToken` comes from an earlier page load, or null. */
export function initialLinkState(resumeToken: string | null): LinkState {
  return {
    phase: { name: 'idle' },
    generation: 0,
    failures: 0,
    ticketsRefused: 0,
    offlineSinceMs: null,
    everWelcomed: false,
    resumeToken,
    sessionId: null,
    clock: CLOCK_STOPPED,
    wanted: null,
    sectionSwitches: [],
    pendingStop: null,
    guidance: null,
    features: [],
  };
}

/** The phase that pages see. */
export function publicPhase(state: LinkState): ConnectionPhase {
  switch (state.phase.name) {
    case 'idle':
      return 'idle';
    case 'live':
      return 'connected';
    case 'ended':
      return 'ended';
    default:
      return state.everWelcomed ? 'reconnecting' : 'connecting';
  }
}
