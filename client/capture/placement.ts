import type { Mode } from '../../shared/direction.ts';
import type { FrameSize } from '../../shared/geometry.ts';
import type { RelayConnection } from '../connection/connection.ts';

/** Where a placement takes its pictures from. */
export interface CaptureSource {
  readonly video: HTMLVideoElement | null;
  readonly size: FrameSize | null;
}

/** What the page asked for. */
export interface CaptureSettings {
  /** Upper bounds from the page: pictures per second (null = none asked for) and JPEG quality 0–1. */
  readonly fps: number | null;
  readonly quality: number;
}

/** What a placement works with. */
export interface PlacementContext {
  readonly source: CaptureSource;
  readonly connection: RelayConnection;
  readonly settings: CaptureSettings;
  /** To be told when the camera's frame size is another one than before (a phone was turned). */
  onSizeChange(size: FrameSize): void;
}

/**
 * Where a student's pictures become observations: it takes pictures and hands messages of the hot
 * path to the connection, pictures for the server or observations of its own. Of one session at
 * most one runs; another may take its place while the session goes on.
 */
export interface Placement {
  readonly mode: Mode;
  /** Begins, or goes on after stop. `start` with this mode has been said to the gateway. */
  start(): void;
  /** Takes no more pictures. Nothing is sent after it returns. */
  stop(): void;
  /** Whatever was sent before is unknown to the gateway now. */
  forget(): void;
  /** Lets go of workers and memory, for good. */
  dispose(): void;
}

/** Makes a placement for a session. */
export type CreatePlacement = (context: PlacementContext) => Placement;
