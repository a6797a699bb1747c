import type { InferenceRequest } from '../../shared/link.ts';
import type { Logger } from '../logger.ts';
import { InferenceLink, type LinkAnswer, type LinkState } from './inference-link.ts';

/** All inference replicas: each request goes to the connected link with the least outstanding. */
export class InferencePool {
  readonly #links: readonly InferenceLink[];

  constructor(urls: readonly string[], logger: Logger) {
    this.#links = urls.map((url) => new InferenceLink(url, logger));
  }

  /** Opens the links ahead of the first frame. */
  open(): void {
    for (const link of this.#links) link.open();
  }

  /** Closes every link until the next request or open(). */
  release(): void {
    for (const link of this.#links) link.release();
  }

  states(): readonly LinkState[] {
    return this.#links.map((link) => link.state);
  }

  request(request: Omit<InferenceRequest, 'requestId'>): Promise<LinkAnswer> {
    this.open();
    let best: InferenceLink | null = null;
    for (const link of this.#links) {
      if (link.state === 'connected' && (best === null || link.outstanding < best.outstanding)) best = link;
    }
    return best === null ? Promise.resolve({ status: 'away' }) : best.request(request);
  }
}
