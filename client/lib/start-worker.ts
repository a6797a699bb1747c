/**
 * Starts a worker from a script of the gateway. A worker must come from the page's origin: on another one it is started
 * by a one-line script in a Blob. Throws where the browser or the page's content security policy allows none.
 */
export function startWorker(url: string, name: string): Worker {
  if (new URL(url).origin === location.origin) return new Worker(url, { name });
  const script = new Blob([`importScripts(${JSON.stringify(url)});`], { type: 'text/javascript' });
  const blobUrl = URL.createObjectURL(script);
  const worker = new Worker(blobUrl, { name });
  // Chrome needs the address until the worker has loaded it.
  worker.addEventListener('message', () => URL.revokeObjectURL(blobUrl), { once: true });
  return worker;
}
