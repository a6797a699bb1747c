import type { Mode } from '../../shared/direction.ts';

/** Where a page wants pictures to be analysed; `auto` decides by measurements. */
export const MODE_WISHES = ['auto', 'server', 'device'] as const;
export type ModeWish = (typeof MODE_WISHES)[number];

/** Why pictures are analysed where they are. */
export type ModeReason =
  /** The page requested it. */
  | 'asked'
  /** The link carries pictures: nothing is downloaded. */
  | 'link_good'
  /** The models are being downloaded to the device. */
  | 'preparing'
  /** The link cannot carry pictures. */
  | 'link_slow'
  /** The student, or the browser's data saver, asked for less data. */
  | 'data_saver'
  /** The link is slow, and the device is too slow as well. */
  | 'device_slow'
  /** This browser lacks a feature that device mode needs. */
  | 'device_unsupported'
  /** The models could not be loaded, or failed. */
  | 'device_failed';

/** One measurement of the link while pictures were sent: how many the server analysed. */
export interface LinkReading {
  readonly answeredPerSecond: number;
  /** Capture to update, median, ms; null where nothing was answered. */
  readonly latencyMs: number | null;
}

/** State of the device. */
export type DeviceReading =
  | { readonly state: 'not_prepared' }
  | { readonly state: 'unsupported' }
  | { readonly state: 'preparing' }
  | { readonly state: 'failed' }
  /** `inferenceMs`: median time of recent pictures, ms. */
  | { readonly state: 'ready'; readonly inferenceMs: number };

/** What the choice depends on. */
export interface ModeInputs {
  readonly wish: ModeWish;
  /** Where pictures are analysed now. */
  readonly mode: Mode;
  /** The student or the browser wants less data. */
  readonly lessData: boolean;
  /** Newest readings of the link in server mode, the newest last; none while there is no connection. */
  readonly link: readonly LinkReading[];
  readonly device: DeviceReading;
  /** Pictures per second that are wanted. */
  readonly wantedFps: number;
}

/** The choice: mode, its reason, and whether to prepare the device. */
export interface ModeChoice {
  readonly mode: Mode;
  readonly reason: ModeReason;
  readonly prepare: boolean;
}

/** A device must make this many observations per second, if that many are wanted. */
export const MIN_DEVICE_FPS = 5;
/** The worker may be busy for this share of the time: the rest is for the lesson and for slower moments. */
const MAX_BUSY_SHARE = 0.9;
/** Limits of a link that carries server mode: observations per second, and ms from capture to update. */
export const MIN_LINK_FPS = 2;
export const MAX_LATENCY_MS = 1500;
/** This many readings in a row must be slow: one may be an exception. */
export const READINGS_NEEDED = 2;

/** True for a reading of a link that does not carry `wantedFps` pictures per second. */
export function isSlowLink({ answeredPerSecond, latencyMs }: LinkReading, wantedFps: number): boolean {
  // A page may want fewer than a slow link carries.
  const leastFps = Math.min(MIN_LINK_FPS, wantedFps * 0.6);
  return answeredPerSecond < leastFps || (latencyMs !== null && latencyMs > MAX_LATENCY_MS);
}

/** True for a device that makes the wanted observations per second, or MIN_DEVICE_FPS if more are wanted. */
export function isFastEnough(inferenceMs: number, wantedFps: number): boolean {
  return inferenceMs * Math.min(MIN_DEVICE_FPS, wantedFps) <= 1000 * MAX_BUSY_SHARE;
}

function chooseAuto(inputs: ModeInputs): ModeChoice {
  const { device, lessData, link, mode, wantedFps } = inputs;
  const newest = link.slice(-READINGS_NEEDED);
  const linkSlow = newest.length === READINGS_NEEDED && newest.every((reading) => isSlowLink(reading, wantedFps));
  // In device mode the link is not measured, so `auto` stays there: it costs nothing.
  const wanted = lessData || linkSlow || mode === 'device';
  if (!wanted) return { mode: 'server', reason: 'link_good', prepare: false };
  switch (device.state) {
    case 'unsupported':
      return { mode: 'server', reason: 'device_unsupported', prepare: false };
    case 'failed':
      return { mode: 'server', reason: 'device_failed', prepare: false };
    case 'not_prepared':
    case 'preparing':
      return { mode: 'server', reason: 'preparing', prepare: true };
    case 'ready':
      return isFastEnough(device.inferenceMs, wantedFps)
        ? { mode: 'device', reason: lessData ? 'data_saver' : 'link_slow', prepare: false }
        : { mode: 'server', reason: 'device_slow', prepare: false };
  }
}

/**
 * Where pictures are analysed. `auto` starts with the server, so that no models are downloaded on a good link; it
 * changes to the device when the link cannot carry pictures or less data is wanted, and back when the device cannot
 * make MIN_DEVICE_FPS. A page that requests the device never gets the server: its students were promised that no
 * picture leaves the device.
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
    case 'not_prepared':
    case 'preparing':
      return { mode: 'device', reason: 'preparing', prepare: true };
    case 'ready':
      return { mode: 'device', reason: 'asked', prepare: false };
  }
}

/** The choice, explained to the student. */
export function explainMode({ mode, reason }: Pick<ModeChoice, 'mode' | 'reason'>): string {
  if (mode === 'device') {
    switch (reason) {
      case 'preparing':
        return 'Getting this device ready to analyse the pictures. No time is counted yet.';
      case 'link_slow':
        return 'Your connection is slow, so this device analyses the pictures. No picture leaves it.';
      case 'data_saver':
        return 'To use less data, this device analyses the pictures. No picture leaves it.';
      case 'device_unsupported':
        return 'This browser cannot analyse the pictures, so no time is counted. Use a current browser.';
      case 'device_failed':
        return 'This device could not be prepared to analyse the pictures, so no time is counted. Reload the page.';
      default:
        return 'This device analyses the pictures. No picture leaves it.';
    }
  }
  switch (reason) {
    case 'preparing':
      return 'Small pictures of your face are sent to the server until this device is ready to analyse them itself.';
    case 'device_slow':
      return 'Small pictures of your face are sent to the server: this device is too slow to analyse them itself.';
    case 'device_unsupported':
      return 'Small pictures of your face are sent to the server: this browser cannot analyse them itself.';
    case 'device_failed':
      return 'Small pictures of your face are sent to the server: this device could not be prepared to analyse them itself.';
    default:
      return 'Small pictures of your face are sent to the server and deleted at once.';
  }
}
