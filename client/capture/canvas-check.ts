/** Sides of the picture that is written and read back, and of each of its fields. */
const SIDE_PX = 16;
const FIELD_PX = 4;
/** Some browsers change the last bits of what is read; that harms no picture. */
const ALLOWED = 6;
const ALLOWED_SHARE = 0.02;

/** A colour for each field, unlike those of its neighbours. */
function colorOf(field: number): readonly [number, number, number] {
  return [(field * 67) % 256, (field * 131 + 40) % 256, (field * 29 + 90) % 256];
}

/**
 * Whether this browser gives a page the pixels that it drew. Protection against fingerprinting (Firefox with
 * privacy.resistFingerprinting, Tor Browser) gives white or random ones instead, and encodes those: pictures of
 * the camera would show nothing, without an error.
 */
export function canvasGivesTruePixels(canvas: HTMLCanvasElement = document.createElement('canvas')): boolean {
  canvas.width = SIDE_PX;
  canvas.height = SIDE_PX;
  const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
  if (context === null) return false;
  const across = SIDE_PX / FIELD_PX;
  for (let field = 0; field < across * across; field++) {
    context.fillStyle = `rgb(${colorOf(field).join()})`;
    context.fillRect((field % across) * FIELD_PX, Math.floor(field / across) * FIELD_PX, FIELD_PX, FIELD_PX);
  }
  const { data } = context.getImageData(0, 0, SIDE_PX, SIDE_PX);
  let wrong = 0;
  for (let pixel = 0; pixel < SIDE_PX * SIDE_PX; pixel++) {
    const field =
      Math.floor(Math.floor(pixel / SIDE_PX) / FIELD_PX) * across + Math.floor((pixel % SIDE_PX) / FIELD_PX);
    const isTrue = colorOf(field).every((value, c) => Math.abs(value - (data[pixel * 4 + c] ?? 0)) <= ALLOWED);
    if (!isTrue) wrong++;
  }
  return wrong <= ALLOWED_SHARE * SIDE_PX * SIDE_PX;
}
