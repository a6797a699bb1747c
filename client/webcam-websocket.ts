import { LessonPage } from './eyelearn/lesson-page.ts';
import { WebcamWebSocket } from './widget/drop-in.ts';
import { scriptData } from './widget/script-tag.ts';

declare global {
  interface Window {
    WebcamWebSocket: typeof WebcamWebSocket;
  }
}

let started: WebcamWebSocket | null = null;

/** The class as pages use it by themselves: it takes the place of what started by itself, and of an earlier object. */
class PageWebcamWebSocket extends WebcamWebSocket {
  override initialize(...ids: Parameters<WebcamWebSocket['initialize']>): Promise<boolean> {
    LessonPage.current?.yieldToPage();
    if (started !== this) started?.disconnect();
    started = this;
    return super.initialize(...ids);
  }
}

window.WebcamWebSocket = PageWebcamWebSocket;
// A tag that names a ticket page or a module is one of the platform's: it tracks the page's lesson without any script.
if (scriptData('ticketUrl') !== null || scriptData('moduleId') !== null) LessonPage.open().startByItself();
