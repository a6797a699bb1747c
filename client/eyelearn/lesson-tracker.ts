import { describeError, RelayError } from '../../shared/errors.ts';
import { tokenPayload } from '../lib/token-payload.ts';
import type { Notice } from '../session/device-mode.ts';
import { WebcamWebSocket } from '../widget/drop-in.ts';
import type { TrackingUpdate } from '../widget/payload.ts';
import { fetchTicket, TicketSource, ticketUrlFor } from '../widget/tickets.ts';
import type { Lesson } from './lesson-address.ts';

const RETRY_AFTER_MS = 10_000;
const STOPPED_KEY = 'gaze-relay:stopped';

/** What a student is shown of the tracking of a lesson. */
export type LessonStatus =
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'tracking'; readonly update: TrackingUpdate | null; readonly isConnected: boolean }
  /** The student stopped it for this lesson. */
  | { readonly kind: 'stopped' }
  /** `code` as the tracker's errors have it; empty where it has none. */
  | { readonly kind: 'trouble'; readonly message: string; readonly code: string };

export interface LessonTrackerOptions {
  readonly serverUrl: string;
  /** The platform's page that answers with a ticket. */
  readonly ticketUrl: string;
  /** Resolves when the student can see that tracking runs; no camera is opened before that. */
  readonly visible: () => Promise<unknown>;
  readonly onStatus: (status: LessonStatus) => void;
  readonly onNotice: (notice: Notice) => void;
}

/** The user id that a ticket names; the ticket itself is checked by the gateway. */
function userOfTicket(ticket: string): string {
  try {
    return String(tokenPayload(ticket).sub);
  } catch {
    throw new RelayError('ticket_invalid', 'The ticket page answered with something that is no ticket.');
  }
}

/** Module that the student stopped tracking of, in this tab; null without one, or where the browser refuses storage. */
function stoppedModule(): string | null {
  try {
    return sessionStorage.getItem(STOPPED_KEY);
  } catch {
    return null;
  }
}

function remember(moduleId: string | null): void {
  try {
    if (moduleId === null) sessionStorage.removeItem(STOPPED_KEY);
    else sessionStorage.setItem(STOPPED_KEY, moduleId);
  } catch {
    // Then the stop holds for this page alone.
  }
}

/**
 * Tracks one lesson at a time on a page of the platform: asks for a ticket before it opens the camera, because the
 * ticket page knows whether the student has agreed to the camera, follows the section, and stops when the student says so.
 */
export class LessonTracker {
  readonly #options: LessonTrackerOptions;
  #lesson: Lesson | null = null;
  #client: WebcamWebSocket | null = null;
  #status: LessonStatus = { kind: 'idle' };
  #retry: ReturnType<typeof setTimeout> | undefined;
  #run = 0;

  constructor(options: LessonTrackerOptions) {
    this.#options = options;
  }

  get status(): LessonStatus {
    return this.#status;
  }

  get lesson(): Lesson | null {
    return this.#lesson;
  }

  /** The client that tracks now; null while nothing is tracked. */
  get client(): WebcamWebSocket | null {
    return this.#client;
  }

  /** Tracks this lesson from now on; of the same module, the section alone changes. Never rejects. */
  async show(lesson: Lesson): Promise<void> {
    const isSameModule = this.#lesson?.moduleId === lesson.moduleId;
    this.#lesson = lesson;
    if (isSameModule && this.#status.kind !== 'idle') {
      this.#client?.setSection(lesson.sectionId);
      return;
    }
    this.#end();
    if (stoppedModule() === String(lesson.moduleId)) this.#set({ kind: 'stopped' });
    else await this.#start();
  }

  /** Starts again after a stop or trouble. */
  async start(): Promise<void> {
    remember(null);
    if (this.#lesson === null || this.#client !== null) return;
    this.#end();
    await this.#start();
  }

  /** Ends tracking for this lesson, also on the pages of it that follow. */
  stop(): void {
    if (this.#lesson !== null) remember(String(this.#lesson.moduleId));
    this.#end();
    this.#set({ kind: 'stopped' });
  }

  /** Ends tracking here: the page shows no lesson any more, or tracks by itself. */
  release(): void {
    this.#end();
    this.#lesson = null;
    this.#set({ kind: 'idle' });
  }

  async #start(): Promise<void> {
    const lesson = this.#lesson;
    if (lesson === null) return;
    const run = this.#run;
    this.#set({ kind: 'starting' });
    const tickets = new TicketSource(() => fetchTicket(ticketUrlFor(this.#options.ticketUrl, lesson.moduleId)));
    let userId: string;
    try {
      const [ticket] = await Promise.all([tickets.fetchAhead(), this.#options.visible()]);
      userId = userOfTicket(ticket);
    } catch (error) {
      if (run !== this.#run) return;
      this.fail(error instanceof RelayError ? error.message : describeError(error));
      const isFinal = error instanceof RelayError && error.code === 'ticket_refused';
      if (!isFinal) this.#retry = setTimeout(() => void this.start(), RETRY_AFTER_MS);
      return;
    }
    if (run !== this.#run) return;
    const client = new WebcamWebSocket({
      serverUrl: this.#options.serverUrl,
      onNotice: this.#options.onNotice,
      getTicket: () => tickets.take(),
      onTrackingUpdate: (update) => {
        if (run === this.#run) this.#set({ kind: 'tracking', update, isConnected: true });
      },
      onConnectionChange: (isConnected) => {
        if (run !== this.#run || this.#status.kind === 'trouble') return;
        const update = this.#status.kind === 'tracking' ? this.#status.update : null;
        this.#set({ kind: 'tracking', update, isConnected });
      },
      onError: ({ code, message }) => {
        if (run === this.#run) this.fail(message, code);
      },
    });
    this.#client = client;
    // The gateway takes the user from the ticket; the id here only keeps stored sessions of several users apart.
    const isOpen = await client.initialize(userId, lesson.moduleId, this.#lesson?.sectionId ?? null);
    if (!isOpen && run === this.#run) this.#client = null;
  }

  /** Shows the student, and the console, what prevents tracking. */
  fail(message: string, code = ''): void {
    console.error(`gaze-relay: ${message}`);
    this.#set({ kind: 'trouble', message, code });
  }

  #end(): void {
    this.#run += 1;
    clearTimeout(this.#retry);
    this.#client?.disconnect();
    this.#client = null;
  }

  #set(status: LessonStatus): void {
    this.#status = status;
    this.#options.onStatus(status);
  }
}
