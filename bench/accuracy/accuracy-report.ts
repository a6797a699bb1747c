import type { BandwidthRow } from './bandwidth.ts';
import type { ClipResult } from './clips.ts';
import type { CoverRow } from './covers/measure.ts';
import type { DotsResult } from './dots/measure.ts';
import type { HeadsResult } from './heads/measure.ts';
import type { SentRow } from './sent.ts';
import type { StillsResult } from './stills.ts';
import type { SeenFrame, SyntheticResult } from './synthetic/measure.ts';

/** All that was measured. */
export interface AccuracyReport {
  readonly stills: readonly StillsResult[];
  readonly clips: readonly ClipResult[];
  /** People who look at known dots; null when none were given. */
  readonly dots: DotsResult | null;
  readonly synthetic: SyntheticResult | null;
  readonly frames: readonly SeenFrame[];
  /** Rendered frames whole and as pages send them; empty when either part was skipped. */
  readonly sent: readonly SentRow[];
  readonly bandwidth: readonly BandwidthRow[];
  /** Time booked while eyes or lens are covered. */
  readonly covers: readonly CoverRow[];
  /** Null when no folder of heads was given. */
  readonly heads: HeadsResult | null;
  readonly skipped: readonly string[];
}
