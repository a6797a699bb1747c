import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import type { ConnectionStats } from '../client/connection/connection-options.ts';
import type { ConnectionPhase } from '../client/connection/link-state.ts';
import type { TrackingSession } from '../client/session/student-session.ts';
import type { TrackingUpdate } from '../client/widget/payload.ts';
import type { TrackingError, WebcamWebSocketOptions } from '../client/widget/types.ts';

/** A server on a free port of loopback that answers everything with one page. */
export async function servePage(html: string, headers: Readonly<Record<string, string>> = {}): Promise<Server> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.end(html);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** A school's page, on an origin of its own, with the drop-in script from the gateway directly. */
export interface Lesson {
  readonly url: string;
  close(): void;
}

export function startLesson(gatewayUrl: string, headers: Readonly<Record<string, string>> = {}): Promise<Lesson> {
  const script = new URL('/js/webcam-websocket.js', gatewayUrl).href;
  return startPage(`<!doctype html><title>Lesson</title><script src="${script}"></script>`, headers);
}

/** A page of the school's own. */
export async function startPage(html: string, headers: Readonly<Record<string, string>> = {}): Promise<Lesson> {
  const server = await servePage(html, headers);
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    close: () => server.close(),
  };
}

/** What a lesson page has been told by its tracker. */
export interface Heard {
  readonly updates: number;
  /** Time of all kinds that the newest update has counted, ms. */
  readonly countedMs: number;
  readonly untrackedMs: number;
  readonly sessions: readonly TrackingSession[];
  readonly phases: readonly ConnectionPhase[];
  readonly errors: readonly TrackingError[];
}

interface Tracker {
  initialize(userId: number, moduleId: number, sectionId: number | null): Promise<boolean>;
  setSection(sectionId: number | null): void;
  finish(): Promise<{ sessionId: string } | null>;
  stats(): ConnectionStats | null;
  readonly stream: MediaStream | null;
}

declare global {
  interface Window {
    tracker: Tracker;
    heard: Heard;
    WebcamWebSocket: new (options: WebcamWebSocketOptions) => Tracker;
  }
}

/** Opens the lesson in a page, with `window.tracker` over `serverUrl` and `window.heard`. Nothing is tracked yet. */
export async function openTracker(page: Page, lesson: Lesson, serverUrl: string): Promise<void> {
  await page.goto(lesson.url);
  await page.evaluate((url) => {
    const heard = {
      updates: 0,
      countedMs: 0,
      untrackedMs: 0,
      sessions: [] as TrackingSession[],
      phases: [] as ConnectionPhase[],
      errors: [] as TrackingError[],
    };
    const onTrackingUpdate = ({ metrics }: TrackingUpdate) => {
      heard.updates += 1;
      heard.untrackedMs = metrics.untracked_time * 1000;
      heard.countedMs = (metrics.total_time + metrics.unknown_time + metrics.untracked_time) * 1000;
    };
    const tracker = new window.WebcamWebSocket({
      serverUrl: url,
      onTrackingUpdate,
      onSession: (session) => heard.sessions.push(session),
      onPhaseChange: (phase) => heard.phases.push(phase),
      onError: (error) => heard.errors.push(error),
    });
    Object.assign(window, { heard, tracker });
  }, serverUrl);
}

/** Waits until the page's newest update has counted that much time. */
export async function untilCounted(page: Page, ms: number): Promise<void> {
  await page.waitForFunction((least) => window.heard.countedMs >= least, ms, { polling: 50 });
}
