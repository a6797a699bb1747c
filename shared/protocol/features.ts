import { ProtocolError } from './errors.ts';

/**
 * What this version has beyond the first v1, by name (PROTOCOL.md, V-2). A new message, field or word gets a name here
 * and a line in FEATURE_GATES; a rule that no message shows has a name alone (`calm`: U-8). Both sides use it only where `welcome` agreed on it.
 */
export const FEATURES: readonly string[] = ['screen', 'pauses', 'turning', 'late', 'calm'];

/** A text message, or one field of it, that needs a feature. */
export interface FeatureGate {
  readonly feature: string;
  readonly type: string;
  /** Null where the whole message needs it. */
  readonly field: string | null;
}

export const FEATURE_GATES: readonly FeatureGate[] = [
  { feature: 'screen', type: 'start', field: 'screen' },
  { feature: 'pauses', type: 'stop', field: 'reason' },
  { feature: 'turning', type: 'calibrate_finish', field: 'turning' },
];

/** Most names in a list, and most characters of a name (V-2). */
export const MAX_FEATURES = 32;
export const MAX_FEATURE_CHARS = 40;

/** The features that both sides have, in this side's order. */
export function agreedFeatures(offered: readonly string[], own: readonly string[] = FEATURES): readonly string[] {
  return own.filter((feature) => offered.includes(feature));
}

/** Throws ProtocolError `control_invalid` where a message uses a feature that was not agreed (V-3). */
export function assertAgreed(
  message: Readonly<Record<string, unknown>>,
  agreed: readonly string[],
  gates: readonly FeatureGate[] = FEATURE_GATES,
): void {
  for (const { feature, type, field } of gates) {
    const isUsed = message.type === type && (field === null || field in message);
    if (!isUsed || agreed.includes(feature)) continue;
    const what = field === null ? `message "${type}"` : `field "${field}" of "${type}"`;
    throw new ProtocolError(
      'control_invalid',
      `the ${what} needs the feature "${feature}", which welcome did not name`,
    );
  }
}
