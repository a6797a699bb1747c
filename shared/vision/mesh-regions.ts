/** A region on a feature map: centre and extent of one cell in feature cells, and the unit vector of its x axis. */
export interface PlacedRegion {
  readonly centerX: number;
  readonly centerY: number;
  readonly cellX: number;
  readonly cellY: number;
  readonly cos: number;
  readonly sin: number;
}

/** Parts of the face that the mesh model refines. */
export interface RegionOutlines {
  /** Mesh points whose line is a region's x axis. */
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** Mesh points that a region encloses. */
  readonly points: readonly (readonly number[])[];
  /** Region over enclosing box. */
  readonly scale: number;
  /** Width and height of the cut-out, in cells. */
  readonly size: number;
}

/**
 * Where the mesh model looks again: MediaPipe's Landmarks2TransformMatrix, version 2
 * (mediapipe/util/tflite/operations/landmarks_to_transform_matrix.cc). `mesh`: points × (x, y, z), input pixels;
 * `cellsPerPx`: feature cells for one input pixel.
 */
export function placeRegions(regions: RegionOutlines, mesh: Float32Array, cellsPerPx: number): PlacedRegion[] {
  const cellScale = (regions.scale * cellsPerPx) / regions.size;
  return regions.points.map((points, region) => {
    const from = (regions.from[region] ?? 0) * 3;
    const to = (regions.to[region] ?? 0) * 3;
    const dx = (mesh[to] ?? 0) - (mesh[from] ?? 0);
    const dy = (mesh[to + 1] ?? 0) - (mesh[from + 1] ?? 0);
    const length = Math.hypot(dx, dy);
    const cos = dx / length;
    const sin = dy / length;
    let left = Number.POSITIVE_INFINITY;
    let right = Number.NEGATIVE_INFINITY;
    let top = Number.POSITIVE_INFINITY;
    let bottom = Number.NEGATIVE_INFINITY;
    for (const point of points) {
      const x = mesh[point * 3] ?? 0;
      const y = mesh[point * 3 + 1] ?? 0;
      const along = cos * x + sin * y;
      const across = cos * y - sin * x;
      left = Math.min(left, along);
      right = Math.max(right, along);
      top = Math.min(top, across);
      bottom = Math.max(bottom, across);
    }
    const along = ((left + right) / 2) * cellsPerPx;
    const across = ((top + bottom) / 2) * cellsPerPx;
    return {
      centerX: cos * along - sin * across,
      centerY: sin * along + cos * across,
      cellX: (right - left) * cellScale,
      cellY: (bottom - top) * cellScale,
      cos,
      sin,
    };
  });
}

/**
 * Cuts one region out of a square feature map (pixels × channels): MediaPipe's TransformTensorBilinear, version 2,
 * bilinear at cell centres and zero outside. `output` holds size × size pixels of as many channels.
 */
export function cutRegion(
  features: Float32Array,
  columns: number,
  channels: number,
  region: PlacedRegion,
  size: number,
  output: Float32Array,
): void {
  const last = columns - 1;
  for (let row = 0; row < size; row++) {
    const v = (row + 0.5 - size / 2) * region.cellY;
    for (let column = 0; column < size; column++) {
      const u = (column + 0.5 - size / 2) * region.cellX;
      const x = region.centerX - 0.5 + region.cos * u - region.sin * v;
      const y = region.centerY - 0.5 + region.sin * u + region.cos * v;
      const to = (row * size + column) * channels;
      if (!(x >= 0 && y >= 0 && x <= last && y <= last)) {
        output.fill(0, to, to + channels);
        continue;
      }
      // At the far edge the last whole cell is used with weight 1 for its end.
      const left = Math.min(Math.floor(x), last - 1);
      const top = Math.min(Math.floor(y), last - 1);
      const right = x - left;
      const lower = y - top;
      const a = (top * columns + left) * channels;
      const c = a + columns * channels;
      const weightA = (1 - right) * (1 - lower);
      const weightB = right * (1 - lower);
      const weightC = (1 - right) * lower;
      const weightD = right * lower;
      for (let channel = 0; channel < channels; channel++) {
        output[to + channel] =
          weightA * (features[a + channel] as number) +
          weightB * (features[a + channels + channel] as number) +
          weightC * (features[c + channel] as number) +
          weightD * (features[c + channels + channel] as number);
      }
    }
  }
}
