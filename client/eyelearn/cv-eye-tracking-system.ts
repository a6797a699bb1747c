import type { TrackingUpdate } from '../widget/payload.ts';
import { parseSectionId } from '../widget/section.ts';
import { LessonPage } from './lesson-page.ts';

/** What `getStats` answers. */
export interface CvTrackingStats {
  readonly isTracking: boolean;
  readonly isConnected: boolean;
  readonly moduleId: number | null;
  readonly sectionId: number | null;
  /** Newest figures of the session; null before the first. */
  readonly metrics: TrackingUpdate['metrics'] | null;
}

/**
 * The tracker class of the platform's versions without `WebcamWebSocket`, with its methods and fields, over the
 * gateway's client. All objects of a window are the same tracker: pages make several, and one camera is enough.
 */
export class CVEyeTrackingSystem {
  moduleId: number | string | null;
  sectionId: number | string | null;
  isTransitioning = false;

  constructor(moduleId: number | string | null, sectionId: number | string | null = null) {
    this.moduleId = moduleId;
    this.sectionId = sectionId;
  }

  get isTracking(): boolean {
    return this.#tracker.client?.isCapturing ?? false;
  }

  get isConnected(): boolean {
    return this.#tracker.client?.isConnected ?? false;
  }

  get #tracker() {
    return LessonPage.open().tracker;
  }

  /** Begins to track the module. Resolves with true when it does; what prevents it is shown on the page. Never rejects. */
  async init(): Promise<boolean> {
    return this.startTracking();
  }

  async startTracking(): Promise<boolean> {
    const moduleId = parseSectionId(this.moduleId);
    if (moduleId === null) {
      console.warn(`gaze-relay: "${this.moduleId}" is no module id, nothing is tracked`);
      return false;
    }
    const sectionId = parseSectionId(this.sectionId);
    await LessonPage.open().show({ moduleId, sectionId });
    return this.isConnected;
  }

  async stopTracking(): Promise<void> {
    this.#tracker.release();
  }

  async stopService(): Promise<void> {
    this.#tracker.release();
  }

  async switchSection(sectionId: number | string | null): Promise<boolean> {
    this.sectionId = sectionId;
    return this.startTracking();
  }

  async seamlessTransition(
    moduleId: number | string | null,
    sectionId: number | string | null = null,
  ): Promise<boolean> {
    this.moduleId = moduleId;
    this.isTransitioning = true;
    try {
      return await this.switchSection(sectionId);
    } finally {
      this.isTransitioning = false;
    }
  }

  /** The widget shows itself. */
  displayTrackingInterface(): void {}

  /** The old class showed the pictures that its service sent back; here none leave the student's side for display. */
  startVideoUpdates(): void {}

  stopVideoUpdates(): void {}

  cleanupAllIntervals(): void {}

  cleanupInterface(): void {}

  getStats(): CvTrackingStats {
    const { lesson, status } = this.#tracker;
    return {
      isTracking: this.isTracking,
      isConnected: this.isConnected,
      moduleId: lesson?.moduleId ?? null,
      sectionId: lesson?.sectionId ?? null,
      metrics: status.kind === 'tracking' ? (status.update?.metrics ?? null) : null,
    };
  }
}
