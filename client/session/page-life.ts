/** How long after `beforeunload` a page counts as leaving: a student may also stay. */
const LEAVING_MS = 2000;

let leavingSinceMs = Number.NEGATIVE_INFINITY;

if (typeof window !== 'undefined') {
  // Before the page's own handlers: pages disconnect in beforeunload, which must not end the session when the next
  // lesson section loads right after.
  window.addEventListener(
    'beforeunload',
    () => {
      leavingSinceMs = performance.now();
    },
    { capture: true },
  );
}

/** True while the page is being left. */
export function isLeaving(): boolean {
  return performance.now() - leavingSinceMs < LEAVING_MS;
}

export interface PageLifeListener {
  /** The page is left, or put into the back-forward cache: camera off, now. */
  onHide(): void;
  /** The page was restored from the back-forward cache. */
  onRestore(): void;
  /** The tab went to the background or came back from it. */
  onVisibility(visible: boolean): void;
  /** The device slept: the page's monotonic clock may have stood still. */
  onWake(): void;
  /** A device was connected or removed, and there is a camera now. */
  onCameraPresent(): void;
  /** The page's content security policy refused something. */
  onRefused(violation: SecurityPolicyViolationEvent): void;
}

/** How often the clocks are compared, and from where on the wall clock's lead is a sleep. */
const COMPARE_EVERY_MS = 1000;
const SLEEP_MS = 2000;

/** Listens until the returned function is called. */
export function watchPage(listener: PageLifeListener): () => void {
  const hide = () => listener.onHide();
  const show = (event: PageTransitionEvent) => {
    if (event.persisted) listener.onRestore();
  };
  const visibility = () => listener.onVisibility(document.visibilityState === 'visible');
  window.addEventListener('pagehide', hide);
  window.addEventListener('pageshow', show);
  document.addEventListener('visibilitychange', visibility);
  const lead = () => Date.now() - performance.now();
  let leadMs = lead();
  const compared = setInterval(() => {
    const beforeMs = leadMs;
    leadMs = lead();
    if (leadMs - beforeMs > SLEEP_MS) listener.onWake();
  }, COMPARE_EVERY_MS);
  const refused = (event: SecurityPolicyViolationEvent) => listener.onRefused(event);
  document.addEventListener('securitypolicyviolation', refused);
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  const change = async () => {
    const present = (await devices?.enumerateDevices()) ?? [];
    if (present.some(({ kind }) => kind === 'videoinput')) listener.onCameraPresent();
  };
  devices?.addEventListener('devicechange', change);
  return () => {
    window.removeEventListener('pagehide', hide);
    window.removeEventListener('pageshow', show);
    clearInterval(compared);
    document.removeEventListener('visibilitychange', visibility);
    document.removeEventListener('securitypolicyviolation', refused);
    devices?.removeEventListener('devicechange', change);
  };
}
