import { WebcamWebSocket } from './widget/drop-in.ts';
import type { TrackingUpdate } from './widget/payload.ts';
import type { TrackingError } from './widget/types.ts';

/** Attributes of the element; all but `section-id` are read when it enters a page. */
const SECTION = 'section-id';

/**
 * `<gaze-relay server-url ticket-url user-id module-id section-id mode>`: tracks the student from when it enters a page until
 * it leaves it. Events: `tracking` with a TrackingUpdate, `trackingerror` with a TrackingError as `detail`.
 */
export class GazeRelayElement extends HTMLElement {
  static readonly observedAttributes: readonly string[] = [SECTION];
  /** The tracker, while the element is in a page; null before and after. */
  tracker: WebcamWebSocket | null = null;

  connectedCallback(): void {
    // Moved within the page: it continues.
    if (this.tracker !== null) return;
    const [serverUrl, ticketUrl, mode] = ['server-url', 'ticket-url', 'mode'].map((name) => this.getAttribute(name));
    const tracker = new WebcamWebSocket({
      ...(serverUrl && { serverUrl }),
      ...(ticketUrl && { ticketUrl }),
      ...((mode === 'server' || mode === 'device') && { mode }),
      onTrackingUpdate: (detail: TrackingUpdate) => this.dispatchEvent(new CustomEvent('tracking', { detail })),
      onError: (detail: TrackingError) => this.dispatchEvent(new CustomEvent('trackingerror', { detail })),
    });
    this.tracker = tracker;
    const id = (name: string) => this.getAttribute(name) ?? '';
    void tracker.initialize(id('user-id'), id('module-id'), this.getAttribute(SECTION));
  }

  disconnectedCallback(): void {
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.tracker?.disconnect();
      this.tracker = null;
    });
  }

  attributeChangedCallback(_name: string, _before: string | null, section: string | null): void {
    this.tracker?.setSection(section);
  }
}

if (customElements.get('gaze-relay') === undefined) customElements.define('gaze-relay', GazeRelayElement);
