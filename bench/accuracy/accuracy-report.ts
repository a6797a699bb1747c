import type { BandwidthRow } from './bandwidth.ts';
import type { ClipResult } from './clips.ts';
import type { SentRow } from './sent.ts';
import type { StillsResult } from './stills.ts';
import type { SeenFrame, SyntheticResult } from './synthetic/measure.ts';

/** All that was measured. */
export interface AccuracyReport {
  readonly stills: readonly StillsResult[];
  readonly clips: readonly ClipResult[];
  readonly synthetic: SyntheticResult | null;
  readonly frames: readonly SeenFrame[];
  /** Rendered frames whole and as pages send them; empty when either part was skipped. */
  readonly sent: readonly SentRow[];
  readonly bandwidth: readonly BandwidthRow[];
  readonly skipped: readonly string[];
}
