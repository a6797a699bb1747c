import type { RectPx } from '../geometry.ts';
import type { TensorFormat } from './image.ts';

/**
 * Why a picture says nothing of who sits before the camera. The order is the wire value, from 1 on:
 * never change it.
 */
export const PICTURE_FAULTS = ['camera_covered', 'too_dark', 'overexposed'] as const;
export type PictureFault = (typeof PICTURE_FAULTS)[number];

/** Edges are looked for between means of cells, which halve the noise, and shapes between means of blocks. */
const CELL_PX = 2;
const BLOCK_CELLS = 4;
/** Fewer blocks a side have no neighbours to be compared with. */
const MIN_BLOCKS = 3;
/** Luma from which a cell is burnt out, and the share of such cells at which a picture is. */
const BURNT_LUMA = 0.97;
const BURNT_SHARE = 0.8;
/** Where nine in ten blocks are darker than this, what is not seen may be there. */
const DARK_LUMA = 0.12;
/**
 * An edge is what stands out of the Laplacian's noise: its 99th percentile less four times its median, which
 * pure noise does not reach (3.8). A picture has none when that is below LEAST_EDGE, or below a share of the
 * differences between blocks: shapes without edges are a blurred picture. Webcam pictures of four people, whole
 * and as pages send them, with and without noise, have 0.1 to 0.6 and shares from 0.6 on; blurred until the mesh loses
 * the face (a standard deviation of 10 to 16 px at 640 px) shares up to 0.36; tape, fingers and caps less than 0.02.
 */
const NOISE_PER_MEDIAN = 4;
const LEAST_EDGE = 0.02;
const LEAST_EDGE_SHARE = 0.36;
/** Rec. 601. */
const RED = 0.299;
const GREEN = 0.587;
const BLUE = 0.114;

/** The value that a share of all values do not exceed; sorts `values`. */
function quantile(values: Float32Array, share: number): number {
  return values.sort()[Math.floor(share * (values.length - 1))] ?? 0;
}

/** Numbers in rows. */
interface Grid {
  readonly values: Float32Array;
  readonly columns: number;
  readonly rows: number;
}

/** Absolute Laplacians of a grid's inner points. */
function laplacians({ values, columns, rows }: Grid): Float32Array {
  const found = new Float32Array(Math.max(0, columns - 2) * Math.max(0, rows - 2));
  let to = 0;
  for (let row = 1; row < rows - 1; row++) {
    for (let column = 1; column < columns - 1; column++) {
      const at = row * columns + column;
      const around =
        (values[at - 1] as number) +
        (values[at + 1] as number) +
        (values[at - columns] as number) +
        (values[at + columns] as number);
      found[to++] = Math.abs(around - 4 * (values[at] as number));
    }
  }
  return found;
}

/** Means of squares of side × side values; what does not fill a square is left out. */
function meansOf({ values, columns, rows }: Grid, side: number): Grid {
  const across = Math.floor(columns / side);
  const down = Math.floor(rows / side);
  const means = new Float32Array(across * down);
  for (let row = 0; row < down * side; row++) {
    for (let column = 0; column < across * side; column++) {
      const at = Math.floor(row / side) * across + Math.floor(column / side);
      means[at] = (means[at] as number) + (values[row * columns + column] as number) / side ** 2;
    }
  }
  return { values: means, columns: across, rows: down };
}

/** Luma (0–1) of the part of an upright square tensor that shows `crop`. */
function shownLuma(planes: Float32Array, { sizePx, low, high }: TensorFormat, crop: RectPx): Grid {
  const longer = Math.max(crop.widthPx, crop.heightPx);
  const left = Math.ceil(((1 - crop.widthPx / longer) * sizePx) / 2 + 0.5);
  const top = Math.ceil(((1 - crop.heightPx / longer) * sizePx) / 2 + 0.5);
  const columns = sizePx - 2 * left;
  const rows = sizePx - 2 * top;
  const plane = sizePx * sizePx;
  const luma = new Float32Array(Math.max(0, columns * rows));
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = (top + row) * sizePx + left + column;
      const value =
        RED * (planes[at] as number) +
        GREEN * (planes[plane + at] as number) +
        BLUE * (planes[2 * plane + at] as number);
      luma[row * columns + column] = (value - low) / (high - low);
    }
  }
  return { values: luma, columns, rows };
}

/**
 * Why a picture in which no face was found says nothing: overexposed, too dark, or covered (taped, flat, blurred
 * out). Null for a picture in which a face would have been seen. `planes` is the upright square around `crop` (roiOfCrop) cut out
 * in `format`; what lies beside the picture is not measured.
 */
export function pictureFaultOf(planes: Float32Array, format: TensorFormat, crop: RectPx): PictureFault | null {
  const cells = meansOf(shownLuma(planes, format, crop), CELL_PX);
  const blocks = meansOf(cells, BLOCK_CELLS);
  if (blocks.columns < MIN_BLOCKS || blocks.rows < MIN_BLOCKS) return null;
  const burnt = cells.values.filter((luma) => luma > BURNT_LUMA).length;
  if (burnt >= BURNT_SHARE * cells.values.length) return 'overexposed';
  const shapes = quantile(laplacians(blocks), 0.9);
  if (quantile(blocks.values, 0.9) < DARK_LUMA) return 'too_dark';
  const fine = laplacians(cells);
  const edge = quantile(fine, 0.99) - NOISE_PER_MEDIAN * quantile(fine, 0.5);
  return edge < Math.max(LEAST_EDGE, LEAST_EDGE_SHARE * shapes) ? 'camera_covered' : null;
}
