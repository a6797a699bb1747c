import type { Mode } from '../../shared/direction.ts';

/** Where a page wants pictures to be looked at; `auto` leaves it to what is measured. */
export const MODE_WISHES = ['auto', 'server', 'device'] as const;
export type ModeWish = (typeof MODE_WISHES)[number];

/** Why pictures are looked at where they are. */
export type ModeReason =
  /** The page asked for it. */
  | 'asked'
  /** Nothing speaks against the server: nothing is downloaded. */
  | 'link_good'
  /** The device is being made ready: its models are on their way. */
  | 'preparing'
  /** The link cannot carry pictures. */
  | 'link_slow'
  /** The student, or the browser's data saver, asked for less data. */
  | 'data_saver'
  /** The link is slow, and the device is too slow as well. */
  | 'device_slow'
  /** This browser has not what it needs. */
  | 'device_unsupported'
  /** The models could not be loaded, or failed. */
  | 'device_failed';

/** Of the link, over a time in which pictures were sent: messages the server answered with an observation. */
export interface LinkReading {
  readonly answeredPerSecond: number;
  /** Capture to update, median, ms; null where nothing was answered. */
  readonly latencyMs: number | null;
}

/** How far the device is. */
export type DeviceReading =
  | { readonly state: 'unasked' }
  | { readonly state: 'unsupported' }
  | { readonly state: 'preparing' }
  | { readonly state: 'failed' }
  /** `lookMs`: the median of what one look took lately, ms. */
  | { readonly state: 'ready'; readonly lookMs: number };

/** What the choice is made of. */
export interface ModeInputs {
  readonly wish: ModeWish;
  /** Where pictures are looked at now. */
  readonly mode: Mode;
  /** The student or the browser asked for less data. */
  readonly lessData: boolean;
  /** Newest readings of the link in server mode, the newest last; none while there is no connection. */
  readonly link: readonly LinkReading[];
  readonly device: DeviceReading;
  /** Pictures per second that are wanted. */
  readonly wantedFps: number;
}

/** What is to be done: mode, its reason, and whether the device is to be made ready. */
export interface ModeChoice {
  readonly mode: Mode;
  readonly reason: ModeReason;
  readonly prepare: boolean;
}

/** A device must hold this many observations a second, where that many are wanted. */
export const LEAST_DEVICE_FPS = 5;
/** The worker may be busy for this part of the time: the rest is the lesson's, and room for a slower moment. */
const MOST_BUSY = 0.9;
/** Below this a link does not carry server mode: observations a second, and ms from capture to update. */
export const LEAST_LINK_FPS = 2;
export const MOST_LATENCY_MS = 1500;
/** So many readings in a row must say so: one may be a hiccup. */
export const READINGS_NEEDED = 2;

/** True for a reading that says the link does not carry pictures, where `wantedFps` were wanted. */
export function isSlowLink({ answeredPerSecond, latencyMs }: LinkReading, wantedFps: number): boolean {
  // A page may want less than a slow link gives.
  const leastFps = Math.min(LEAST_LINK_FPS, wantedFps * 0.6);
  return answeredPerSecond < leastFps || (latencyMs !== null && latencyMs > MOST_LATENCY_MS);
}

/** True for a device that holds what is wanted of it, or LEAST_DEVICE_FPS where more is wanted. */
export function isFastEnough(lookMs: number, wantedFps: number): boolean {
  return lookMs * Math.min(LEAST_DEVICE_FPS, wantedFps) <= 1000 * MOST_BUSY;
}

function chooseAuto(inputs: ModeInputs): ModeChoice {
  const { device, lessData, link, mode, wantedFps } = inputs;
  const newest = link.slice(-READINGS_NEEDED);
  const linkSlow = newest.length === READINGS_NEEDED && newest.every((reading) => isSlowLink(reading, wantedFps));
  // In device mode nothing is known of how the link would carry pictures: it stays, for it costs nothing.
  const wanted = lessData || linkSlow || mode === 'device';
  if (!wanted) return { mode: 'server', reason: 'link_good', prepare: false };
  switch (device.state) {
    case 'unsupported':
      return { mode: 'server', reason: 'device_unsupported', prepare: false };
    case 'failed':
      return { mode: 'server', reason: 'device_failed', prepare: false };
    case 'unasked':
    case 'preparing':
      return { mode: 'server', reason: 'preparing', prepare: true };
    case 'ready':
      return isFastEnough(device.lookMs, wantedFps)
        ? { mode: 'device', reason: lessData ? 'data_saver' : 'link_slow', prepare: false }
        : { mode: 'server', reason: 'device_slow', prepare: false };
  }
}

/**
 * Where pictures are to be looked at. `auto` begins with the server, so that nobody downloads models on a good link;
 * it changes to the device when the link cannot carry pictures or less data is asked for, and back when the device
 * cannot hold LEAST_DEVICE_FPS. A page that asks for the device never gets the server: its students were promised
 * that no picture leaves.
 */
export function chooseMode(inputs: ModeInputs): ModeChoice {
  const { device, wish } = inputs;
  if (wish === 'server') return { mode: 'server', reason: 'asked', prepare: false };
  if (wish === 'auto') return chooseAuto(inputs);
  switch (device.state) {
    case 'unsupported':
      return { mode: 'device', reason: 'device_unsupported', prepare: false };
    case 'failed':
      return { mode: 'device', reason: 'device_failed', prepare: false };
    case 'unasked':
    case 'preparing':
      return { mode: 'device', reason: 'preparing', prepare: true };
    case 'ready':
      return { mode: 'device', reason: 'asked', prepare: false };
  }
}

/** The choice in a student's words. */
export function explainMode({ mode, reason }: Pick<ModeChoice, 'mode' | 'reason'>): string {
  if (mode === 'device') {
    switch (reason) {
      case 'preparing':
        return 'Getting ready to look at the pictures on this device. This happens once; nothing is counted yet.';
      case 'link_slow':
        return 'Your connection is slow, so the pictures are looked at on this device. No picture leaves it.';
      case 'data_saver':
        return 'To use less data, the pictures are looked at on this device. No picture leaves it.';
      case 'device_unsupported':
        return 'This browser cannot look at the pictures itself, so nothing is counted. Use a current browser.';
      case 'device_failed':
        return 'This device could not get ready to look at the pictures, so nothing is counted. Load the page again.';
      default:
        return 'The pictures are looked at on this device. No picture leaves it.';
    }
  }
  switch (reason) {
    case 'preparing':
      return 'Small pictures of your face go to the server while this device gets ready to look at them itself.';
    case 'device_slow':
      return 'Small pictures of your face go to the server: this device is too slow to look at them itself.';
    case 'device_unsupported':
      return 'Small pictures of your face go to the server: this browser cannot look at them itself.';
    case 'device_failed':
      return 'Small pictures of your face go to the server: this device could not get ready to look at them itself.';
    default:
      return 'Small pictures of your face go to the server and are deleted at once.';
  }
}
