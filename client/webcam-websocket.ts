import { WebcamWebSocket } from './drop-in.ts';

declare global {
  interface Window {
    WebcamWebSocket: typeof WebcamWebSocket;
  }
}

window.WebcamWebSocket = WebcamWebSocket;
