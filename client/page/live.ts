import type { Stopped } from '../connection/connection-options.ts';
import { MODE_WISHES } from '../session/mode-choice.ts';
import { WebcamWebSocket } from '../widget/drop-in.ts';
import { outageWords } from '../widget/outage-words.ts';
import type { TrackingError } from '../widget/types.ts';
import { Announcer } from './announcer.ts';
import { CameraPanel } from './camera-panel.ts';
import { byId, setText, ticketUrlOfPage } from './dom.ts';
import { duration, percent, share } from './format.ts';
import { readLessData } from './less-data.ts';
import { LinkPanel } from './link-panel.ts';
import { LiveView, timesOf } from './live-view.ts';
import { showProportion, type Times, trackedMs } from './proportion.ts';
import { SetupPanel } from './setup-panel.ts';

const TICK_MS = 250;
const query = new URLSearchParams(location.search);
const userId = query.get('userId') ?? '1';
const moduleId = query.get('moduleId') ?? '1';
const sectionId = query.get('sectionId');
const mode = MODE_WISHES.find((wish) => wish === query.get('mode')) ?? 'auto';
const ticketUrl = ticketUrlOfPage();
const lessData = readLessData();
const { title } = document;

const ERROR_TITLES: Readonly<Record<string, string>> = {
  denied: 'The camera is not allowed',
  none: 'No camera',
  in_use: 'The camera is busy',
  insecure: 'This page is not secure',
  altered: 'The browser alters pictures',
  lost: 'The camera was disconnected',
  page_policy: 'This page forbids what tracking needs',
  superseded: 'Tracking continues elsewhere',
  unreachable: 'No connection',
};

const announcer = new Announcer(byId('announcer', HTMLElement));
const view = new LiveView(announcer);
const link = new LinkPanel(() => tracker, announcer);
const setup = new SetupPanel(() => tracker);
const cameras = new CameraPanel(() => tracker);
const consent = byId('consent', HTMLInputElement);
const startButton = byId('start', HTMLButtonElement);
const pauseButton = byId('pause', HTMLButtonElement);
const stopButton = byId('stop', HTMLButtonElement);
const preview = byId('preview', HTMLVideoElement);
const notice = byId('notice', HTMLElement);
const panels = {
  before: byId('before', HTMLElement),
  during: byId('during', HTMLElement),
  after: byId('after', HTMLElement),
};

let times: Times = { focused: 0, unfocused: 0, unknown: 0, untracked: 0 };
let pausedByStudent = false;

const tracker = new WebcamWebSocket({
  serverUrl: location.origin,
  mode,
  ...(ticketUrl === null ? {} : { ticketUrl }),
  ...(lessData === null ? {} : { lessData }),
  onTrackingUpdate: (update) => {
    times = timesOf(update);
    if (tracker.isCapturing) view.showUpdate(update, performance.now());
  },
  onPhaseChange: (phase) => {
    link.showPhase(phase);
    if (phase === 'reconnecting') {
      const { title, meaning } = outageWords(tracker.modeReport?.mode ?? null);
      view.showWaiting(title, meaning);
    }
  },
  onNotice: ({ message }) => setText(byId('kept-line', HTMLElement), message),
  onCalibrationChange: () => setup.show(),
  onCaptureChange: (capturing) => {
    // Of a tab in the background only the title is visible.
    document.title = capturing || tracker.stats() === null ? title : `Paused · ${title}`;
    if (capturing) showRunning();
    else if (tracker.pauseReason === 'camera')
      view.showWaiting('No pictures', 'The camera sends none. No time is counted until it does.', 'paused');
    else if (pausedByStudent) view.showWaiting('Paused', 'No pictures are taken and no time is counted.', 'paused');
    else view.showWaiting('Paused', 'Tracking waits while this tab is in the background.', 'paused');
  },
  onError: showError,
});

function show(panel: keyof typeof panels, focusId: string): void {
  for (const [name, element] of Object.entries(panels)) element.hidden = name !== panel;
  byId(focusId, HTMLElement).focus({ preventScroll: true });
  window.scrollTo({ top: 0 });
}

function showRunning(): void {
  pausedByStudent = false;
  notice.hidden = true;
  setText(pauseButton, 'Pause');
  preview.srcObject = tracker.stream;
  void cameras.show();
  preview.play().catch(() => {
    // Autoplay of a muted preview may be refused; tracking does not need it.
  });
  view.showWaiting('Getting ready', 'Waiting for the first answer from the server.');
}

function showError(error: TrackingError): void {
  if (error.code === 'slow') {
    view.showWaiting('Waiting for the camera', error.message);
    return;
  }
  if ((error.code === 'lost' || error.code === 'stalled') && !panels.during.hidden) {
    if (error.code === 'lost') preview.srcObject = null;
    setText(byId('notice-text', HTMLElement), error.message);
    byId('notice-retry', HTMLElement).hidden = error.code === 'stalled';
    notice.hidden = false;
    return;
  }
  // Faults of single pictures resolve themselves: they go to the console.
  if (error.type === 'SERVER_ERROR' && tracker.stats() !== null) {
    console.warn(`gaze-relay: ${error.code}: ${error.message}`);
    return;
  }
  preview.srcObject = null;
  setText(byId('trouble-title', HTMLElement), ERROR_TITLES[error.code] ?? 'Tracking could not start');
  setText(byId('trouble-text', HTMLElement), error.message);
  byId('trouble', HTMLElement).hidden = false;
  link.showPhase('idle');
  show('before', 'before-title');
}

function showConsent(): void {
  startButton.setAttribute('aria-disabled', String(!consent.checked));
  const first = consent.checked ? 'Your browser will ask for the camera.' : 'Tick the box first.';
  setText(byId('start-hint', HTMLElement), `${first} You can pause or stop at any time.`);
}

async function start(): Promise<void> {
  if (!consent.checked) {
    consent.focus();
    return;
  }
  if (startButton.disabled) return;
  byId('trouble', HTMLElement).hidden = true;
  startButton.disabled = true;
  setText(startButton, 'Waiting for the camera…');
  times = { focused: 0, unfocused: 0, unknown: 0, untracked: 0 };
  view.reset();
  link.reset();
  const started = tracker.initialize(userId, moduleId, sectionId);
  const shown = setInterval(() => {
    if (tracker.stream !== null && panels.during.hidden) show('during', 'during-title');
  }, 100);
  const ok = await started;
  clearInterval(shown);
  if (ok && panels.during.hidden) show('during', 'during-title');
  startButton.disabled = false;
  setText(startButton, 'Start the camera');
}

function togglePause(): void {
  if (tracker.isCapturing) {
    pausedByStudent = true;
    tracker.stopCapture();
    setText(pauseButton, 'Resume');
  } else {
    tracker.startCapture();
  }
}

async function stop(): Promise<void> {
  stopButton.disabled = true;
  pausedByStudent = true;
  const stopped = await tracker.finish();
  preview.srcObject = null;
  stopButton.disabled = false;
  link.showPhase('idle');
  showAfter(stopped);
}

function showAfter(stopped: Stopped | null): void {
  const final: Times =
    stopped === null
      ? times
      : {
          focused: stopped.totals.focusedMs,
          unfocused: stopped.totals.unfocusedMs,
          unknown: stopped.totals.unknownMs,
          untracked: stopped.totals.untrackedMs,
        };
  const focusShare = share(final.focused, trackedMs(final));
  setText(
    byId('after-text', HTMLElement),
    focusShare === null
      ? 'No time was tracked.'
      : `You were focused for ${percent(focusShare)} of ${duration(trackedMs(final))} of tracked time.`,
  );
  showProportion(byId('after-proportion', HTMLElement), final);
  for (const kind of ['focused', 'unfocused', 'unknown', 'untracked'] as const) {
    setText(byId(`after-${kind}`, HTMLElement), duration(final[kind]));
  }
  const link = byId('report-link', HTMLAnchorElement);
  link.hidden = tracker.sessionId === null;
  link.href = `reports?${new URLSearchParams({ role: 'student', userId, moduleId })}#/sessions/${tracker.sessionId ?? ''}`;
  show('after', 'after-title');
}

consent.addEventListener('change', showConsent);
byId('consent-form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  void start();
});
pauseButton.addEventListener('click', togglePause);
stopButton.addEventListener('click', () => void stop());
byId('notice-retry', HTMLButtonElement).addEventListener('click', () => tracker.startCapture());
byId('again', HTMLButtonElement).addEventListener('click', () => {
  show('before', 'before-title');
  void start();
});
setInterval(() => {
  if (panels.during.hidden) return;
  view.tick(performance.now());
  link.tick(performance.now());
}, TICK_MS);
showConsent();
