// Browsers slow the timers of a page in the background down, to one a minute in the end; not those of a worker.
const SCRIPT = 'onmessage=({data:[id,ms]})=>setTimeout(postMessage,ms,id)';

const waiting = new Map<number, () => void>();
let worker: Worker | null = null;
let nextId = 0;

/** Null where the browser or the page's content security policy allows no worker. */
function openWorker(): Worker | null {
  try {
    worker ??= new Worker(URL.createObjectURL(new Blob([SCRIPT], { type: 'text/javascript' })));
    worker.onmessage = ({ data }) => waiting.get(data)?.();
    return worker;
  } catch {
    return null;
  }
}

/** As setTimeout, in time also while the page is in the background. Returns a function that cancels it. */
export function setTimer(callback: () => void, delayMs: number): () => void {
  const id = nextId++;
  const cancel = () => {
    clearTimeout(timer);
    waiting.delete(id);
  };
  const call = () => {
    cancel();
    callback();
  };
  const timer = setTimeout(call, delayMs);
  if (document.hidden) {
    waiting.set(id, call);
    openWorker()?.postMessage([id, delayMs]);
  }
  return cancel;
}
