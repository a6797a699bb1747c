const SIDE_PX = 16;
/** Some browsers change the last bits of what is read, which harms no picture. */
const ALLOWED = 8;

/**
 * Whether this browser gives a page the pixels that it drew: black, a canvas's first colour, is drawn and read back.
 * Protection against fingerprinting (Firefox with privacy.resistFingerprinting, Tor Browser) gives white or random
 * pixels instead, and encodes those: pictures of the camera would show nothing, without an error.
 */
export function canvasGivesTruePixels(): boolean {
  const context = document.createElement('canvas').getContext('2d');
  if (context === null) return false;
  context.fillRect(0, 0, SIDE_PX, SIDE_PX);
  return context.getImageData(0, 0, SIDE_PX, SIDE_PX).data.every((value, at) => at % 4 === 3 || value <= ALLOWED);
}
