import { gatewayAddresses } from '../connection/addresses.ts';
import { loadAsset } from '../lib/gateway-assets.ts';
import { defaultServerUrl, scriptData } from '../widget/script-tag.ts';
import { parseSectionId } from '../widget/section.ts';
import { type Lesson, lessonOfAddress } from './lesson-address.ts';
import { LessonTracker } from './lesson-tracker.ts';
import type { LessonWidget } from './lesson-widget.ts';
import { watchAddress } from './watch-address.ts';

/** A page's own start comes in its DOMContentLoaded handler, or a moment later: it has precedence. */
const PAGE_STARTS_WITHIN_MS = 500;
/** The ticket page lies beside the lesson pages unless the tag says otherwise. */
const TICKET_PAGE = 'relay_ticket.php';
const NO_MODULE =
  'This page names no module: set data-module-id at the script tag, or module_id in the address. Nothing is tracked.';
const HELD = Symbol.for('gaze-relay.lesson-page');

interface LessonWindow extends Window {
  [HELD]?: LessonPage;
}

/** The tracking of the lesson that a page of the platform shows, whatever the page's own scripts do. One a window. */
export class LessonPage {
  readonly tracker: LessonTracker;
  #widget: LessonWidget | null = null;
  #loading: Promise<void> | null = null;
  #unwatch: (() => void) | null = null;
  #isYielded = false;

  private constructor() {
    this.tracker = new LessonTracker({
      serverUrl: defaultServerUrl(),
      ticketUrl: scriptData('ticketUrl') || TICKET_PAGE,
      visible: () => this.#showWidget(),
      onStatus: (status) => this.#widget?.show(status),
      onNotice: (notice) => this.#widget?.note(notice),
    });
  }

  /** Resolves when the widget is there. What failed is tried again by the next call. */
  #showWidget(): Promise<void> {
    this.#loading ??= this.#loadWidget().catch((error: unknown) => {
      this.#loading = null;
      throw error;
    });
    return this.#loading;
  }

  async #loadWidget(): Promise<void> {
    const { httpOrigin } = gatewayAddresses(defaultServerUrl());
    const module = await loadAsset<typeof import('./lesson-widget.ts')>('lessonWidget', httpOrigin);
    this.#widget = new module.LessonWidget({
      small: document.getElementById('eye-tracking-widget') !== null,
      onStop: () => this.tracker.stop(),
      onStart: () => void this.tracker.start(),
      client: () => this.tracker.client,
    });
    this.#widget.show(this.tracker.status);
  }

  /** The one of this window, also when two scripts of the gateway are loaded. */
  static open(): LessonPage {
    const held = window as LessonWindow;
    held[HELD] ??= new LessonPage();
    return held[HELD];
  }

  /** The one of this window, if a script has opened it. */
  static get current(): LessonPage | null {
    return (window as LessonWindow)[HELD] ?? null;
  }

  /**
   * Tracks the page's lesson as soon as its scripts have had their chance to do so, and follows its address. A page
   * that shows no lesson is left alone.
   * @param speaksUp Whether a missing module id is reported on the page too, not in the console alone.
   */
  startByItself({ speaksUp }: { readonly speaksUp: boolean }): void {
    // Early: the widget notes cameras that the page's other scripts open. Where that fails, the start tries it again.
    this.#showWidget().catch(() => {});
    const begin = () => setTimeout(() => this.#follow(speaksUp), PAGE_STARTS_WITHIN_MS);
    if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin, { once: true });
    else begin();
  }

  /** Tracks this lesson, as the page's own script says, and follows the address from there. */
  show(lesson: Lesson): Promise<void> {
    this.#watch();
    return this.tracker.show(lesson);
  }

  /** Ends it permanently on this page: the page tracks by itself. */
  yieldToPage(): void {
    this.#isYielded = true;
    this.#unwatch?.();
    this.tracker.release();
  }

  #follow(speaksUp: boolean): void {
    if (this.#isYielded || this.#unwatch !== null) return;
    const lesson = lessonOfTag() ?? lessonOfAddress(location.href);
    this.#watch();
    if (lesson !== null) void this.show(lesson);
    // An empty attribute is a template's on a page without a lesson; none at all, or a wrong one, is a mistake.
    else if (speaksUp && scriptData('moduleId') !== '') {
      this.tracker.fail(NO_MODULE);
      this.#showWidget().catch(console.error);
    } else console.info(`gaze-relay: ${NO_MODULE}`);
  }

  #watch(): void {
    this.#unwatch ??= watchAddress(
      (lesson) => {
        if (lesson === null) this.tracker.release();
        else void this.tracker.show(lesson);
      },
      () => this.#widget?.tick(),
    );
  }
}

/** The lesson in the script tag's `data-module-id` and `data-section-id`; null where it has no module. */
function lessonOfTag(): Lesson | null {
  const moduleId = parseSectionId(scriptData('moduleId'));
  return moduleId === null ? null : { moduleId, sectionId: parseSectionId(scriptData('sectionId')) };
}
