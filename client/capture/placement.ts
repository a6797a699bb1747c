import type { Mode } from '../../shared/direction.ts';
import type { FrameSize } from '../../shared/geometry.ts';
import type { RelayConnection } from '../connection/connection.ts';

/** Source of a placement's pictures. */
export interface CaptureSource {
  readonly video: HTMLVideoElement | null;
  readonly size: FrameSize | null;
  /** True while its pictures are new ones. */
  readonly flowing: boolean;
}

/** What the page asked for. */
export interface CaptureSettings {
  /** Upper bounds from the page: pictures per second (null = none asked for) and JPEG quality 0–1. */
  readonly fps: number | null;
  readonly quality: number;
}

/** What a placement needs. */
export interface PlacementContext {
  readonly source: CaptureSource;
  readonly connection: RelayConnection;
  readonly settings: CaptureSettings;
  /** Called when the camera's frame size has changed (a phone was turned). */
  onSizeChange(size: FrameSize): void;
}

/**
 * Where a student's pictures become observations: it takes pictures and gives binary messages to the connection,
 * pictures for the server or its own observations. At most one runs per session; it can be replaced while the session
 * continues.
 */
export interface Placement {
  readonly mode: Mode;
  /** Starts, or resumes after stop. `start` with this mode has been sent to the gateway. */
  start(): void;
  /** Takes no more pictures. Nothing is sent after it returns. */
  stop(): void;
  /** The gateway no longer has what was sent before. */
  forget(): void;
  /** Frees workers and memory; it cannot be started again. */
  dispose(): void;
}

/** Creates a placement for a session. */
export type CreatePlacement = (context: PlacementContext) => Placement;
