import { WebcamWebSocket } from './widget/drop-in.ts';

declare global {
  interface Window {
    WebcamWebSocket: typeof WebcamWebSocket;
  }
}

window.WebcamWebSocket = WebcamWebSocket;
