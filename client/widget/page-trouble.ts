import type { ModeWish } from '../session/mode-choice.ts';
import type { TrackingError } from './types.ts';

/** The tracker on the page. */
export interface TrackerOnPage {
  /** `http(s)://host` of the gateway. */
  readonly httpOrigin: string;
  readonly isConnected: boolean;
  readonly mode: ModeWish;
}

const EMBEDDED: TrackingError = {
  type: 'CAMERA_PERMISSION_DENIED',
  message:
    'This page may not use the camera inside another page. Open it in a window of its own. ' +
    'For the owner of the outer page: its <iframe> needs allow="camera".',
  code: 'embedded',
};

interface PolicyDocument extends Document {
  readonly featurePolicy?: { allowsFeature(name: string): boolean };
  readonly permissionsPolicy?: { allowsFeature(name: string): boolean };
}

/** Why the camera is refused to a page in a frame; null where the student refused it, and not the page around it. */
export async function explainRefusedCamera(): Promise<TrackingError | null> {
  const { featurePolicy, permissionsPolicy } = document as PolicyDocument;
  const policy = permissionsPolicy ?? featurePolicy;
  if (policy !== undefined) return policy.allowsFeature('camera') ? null : EMBEDDED;
  // Firefox and Safari tell it in this way only, and a student's own refusal looks the same.
  const permission = await navigator.permissions.query({ name: 'camera' }).catch(() => null);
  return permission?.state === 'denied' ? EMBEDDED : null;
}

type PolicyFault = 'connect-src' | 'worker-src' | 'wasm';
const explained = new Set<PolicyFault>();

/** For the student and the page's owner; null where tracking works without it. The owner always reads it in the console. */
function explainPolicy(fault: PolicyFault, tracker: TrackerOnPage): TrackingError | null {
  const { httpOrigin, isConnected, mode } = tracker;
  const needs = {
    'connect-src': `connect-src needs ${httpOrigin} and ${httpOrigin.replace(/^http/, 'ws')}`,
    'worker-src': 'worker-src needs blob:',
    wasm: "script-src needs 'wasm-unsafe-eval'",
  };
  const isConnection = fault === 'connect-src';
  const what = isConnection ? 'connections to the tracking server' : 'what this device needs to analyse pictures';
  const message = `This page does not allow ${what}. For its owner: in the page's Content-Security-Policy, ${needs[fault]}.`;
  if (!explained.has(fault)) console.warn(`gaze-relay: ${message}`);
  explained.add(fault);
  // In server mode the page itself draws the pictures where no worker may.
  const isHarmless = isConnection ? isConnected : mode !== 'device';
  return isHarmless ? null : { type: isConnection ? 'WEBSOCKET_ERROR' : 'DEVICE_ERROR', message, code: 'page_policy' };
}

/** What the page's content security policy refused; null where the tracker works without it. */
export function explainViolation(
  { blockedURI, disposition, effectiveDirective }: SecurityPolicyViolationEvent,
  tracker: TrackerOnPage,
): TrackingError | null {
  if (disposition !== 'enforce') return null;
  // Where WebSockets alone are refused, POSTs get through: whether they do shows at once, not after many attempts.
  if (effectiveDirective === 'connect-src' && blockedURI.startsWith(tracker.httpOrigin.replace(/^http/, 'ws'))) {
    void fetch(`${tracker.httpOrigin}/healthz`, { mode: 'no-cors' }).catch(() => {});
    return null;
  }
  if (effectiveDirective === 'connect-src' && blockedURI.startsWith(tracker.httpOrigin)) {
    return explainPolicy('connect-src', tracker);
  }
  if (effectiveDirective === 'worker-src' && blockedURI.startsWith('blob')) return explainPolicy('worker-src', tracker);
  return null;
}

/** Why the device cannot analyse pictures; null where the page has no part in it. `code`: of device mode's error. */
export function explainDevice(code: string | null, tracker: TrackerOnPage): TrackingError | null {
  return code === 'wasm_blocked' ? explainPolicy('wasm', tracker) : null;
}
