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
}

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
  return () => {
    window.removeEventListener('pagehide', hide);
    window.removeEventListener('pageshow', show);
    document.removeEventListener('visibilitychange', visibility);
  };
}
