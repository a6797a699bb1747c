import { LessonPage } from './eyelearn/lesson-page.ts';
import { watchAddress } from './eyelearn/watch-address.ts';
import { WebcamWebSocket } from './widget/drop-in.ts';
import { scriptData } from './widget/script-tag.ts';

declare global {
  interface Window {
    WebcamWebSocket: typeof WebcamWebSocket;
  }
}

/** A tag that names a ticket page or a module is one of the platform's: it tracks the page's lesson without any script. */
const isLessonPage = scriptData('ticketUrl') !== null || scriptData('moduleId') !== null;
let started: WebcamWebSocket | null = null;
let unwatch = () => {};

/**
 * The class as pages use it by themselves: it takes the place of what started by itself, and of an earlier object. On
 * the platform's pages it follows the address: some change the lesson section without a word to the tracker.
 */
class PageWebcamWebSocket extends WebcamWebSocket {
  override initialize(...ids: Parameters<WebcamWebSocket['initialize']>): Promise<boolean> {
    LessonPage.current?.yieldToPage();
    if (started !== this) started?.disconnect();
    started = this;
    unwatch();
    if (isLessonPage) {
      const [userId] = ids;
      unwatch = watchAddress((lesson) => {
        if (lesson !== null && this.isCapturing) void super.initialize(userId, lesson.moduleId, lesson.sectionId);
      });
    }
    return super.initialize(...ids);
  }
}

window.WebcamWebSocket = PageWebcamWebSocket;
if (isLessonPage) LessonPage.open().startByItself({ speaksUp: true });
