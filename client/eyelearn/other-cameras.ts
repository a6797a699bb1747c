/** Camera streams of this page that others opened, from the call of `watchOtherCameras` on. */
const streams = new Set<MediaStream>();
let isWatching = false;

/** Notes each camera stream that a script of the page opens. Safe to call twice. */
export function watchOtherCameras(): void {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (isWatching || devices === undefined) return;
  isWatching = true;
  const open = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (constraints) => {
    const stream = await open(constraints);
    streams.add(stream);
    return stream;
  };
}

/** Live camera streams other than `own`: noted ones, and those that a video of the page shows. */
export function otherCameras(own: MediaStream | null): MediaStream[] {
  for (const { srcObject } of document.querySelectorAll('video')) {
    if (srcObject instanceof MediaStream) streams.add(srcObject);
  }
  for (const stream of streams) {
    if (!stream.getVideoTracks().some(({ readyState }) => readyState === 'live')) streams.delete(stream);
  }
  return [...streams].filter((stream) => stream !== own);
}

/** Switches these cameras off, as the scripts that opened them would. */
export function stopCameras(stopped: readonly MediaStream[]): void {
  for (const stream of stopped) for (const track of stream.getTracks()) track.stop();
}
