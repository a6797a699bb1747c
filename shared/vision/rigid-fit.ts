import { apply, type Mat3, rotationOfQuaternion, scale, subtract, type Vec3 } from './linear.ts';

/** target ≈ factor · rotation · source + translation. */
export interface SimilarityFit {
  readonly rotation: Mat3;
  readonly factor: number;
  readonly translation: Vec3;
  /** Weighted RMS distance of the fitted source to the target, in the target's unit. */
  readonly rms: number;
}

/** Eigenvector of the largest eigenvalue of a symmetric 4×4 matrix, by cyclic Jacobi rotations. */
function dominantEigenvector(matrix: number[][]): readonly number[] {
  const a = matrix.map((row) => [...row]);
  const v = [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => (i === j ? 1 : 0)));
  const at = (m: number[][], i: number, j: number): number => m[i]?.[j] ?? 0;
  const put = (m: number[][], i: number, j: number, value: number): void => {
    const row = m[i];
    if (row !== undefined) row[j] = value;
  };
  for (let sweep = 0; sweep < 24; sweep++) {
    let offDiagonal = 0;
    let diagonal = 0;
    for (let i = 0; i < 4; i++) {
      diagonal += at(a, i, i) ** 2;
      for (let j = i + 1; j < 4; j++) offDiagonal += at(a, i, j) ** 2;
    }
    if (offDiagonal <= 1e-26 * diagonal) break;
    for (let p = 0; p < 3; p++) {
      for (let q = p + 1; q < 4; q++) {
        const apq = at(a, p, q);
        if (apq === 0) continue;
        const theta = (at(a, q, q) - at(a, p, p)) / (2 * apq);
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < 4; k++) {
          const [akp, akq] = [at(a, k, p), at(a, k, q)];
          put(a, k, p, c * akp - s * akq);
          put(a, k, q, s * akp + c * akq);
        }
        for (let k = 0; k < 4; k++) {
          const [apk, aqk] = [at(a, p, k), at(a, q, k)];
          put(a, p, k, c * apk - s * aqk);
          put(a, q, k, s * apk + c * aqk);
          const [vkp, vkq] = [at(v, k, p), at(v, k, q)];
          put(v, k, p, c * vkp - s * vkq);
          put(v, k, q, s * vkp + c * vkq);
        }
      }
    }
  }
  let best = 0;
  for (let i = 1; i < 4; i++) if (at(a, i, i) > at(a, best, best)) best = i;
  return [at(v, 0, best), at(v, 1, best), at(v, 2, best), at(v, 3, best)];
}

function weightedMean(points: readonly Vec3[], weights: readonly number[], weightSum: number): Vec3 {
  let [x, y, z] = [0, 0, 0];
  points.forEach((point, i) => {
    const w = weights[i] ?? 0;
    x += w * point[0];
    y += w * point[1];
    z += w * point[2];
  });
  return [x / weightSum, y / weightSum, z / weightSum];
}

/**
 * The rotation, scale and translation that take `source` to `target` with the least weighted sum of
 * squares, in closed form. Arrays of equal length, at least three points not on a line.
 * Source: B. K. P. Horn, "Closed-form solution of absolute orientation using unit quaternions",
 * J. Opt. Soc. Am. A 4 (1987), §4; scale as in §2.D, measured along the fitted directions.
 */
export function fitSimilarity(
  source: readonly Vec3[],
  target: readonly Vec3[],
  weights: readonly number[],
): SimilarityFit {
  const weightSum = weights.reduce((sum, w) => sum + w, 0);
  const sourceMean = weightedMean(source, weights, weightSum);
  const targetMean = weightedMean(target, weights, weightSum);
  let [xx, xy, xz, yx, yy, yz, zx, zy, zz] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  let sourceSquares = 0;
  source.forEach((point, i) => {
    const w = weights[i] ?? 0;
    const a = subtract(point, sourceMean);
    const b = subtract(target[i] ?? targetMean, targetMean);
    xx += w * a[0] * b[0];
    xy += w * a[0] * b[1];
    xz += w * a[0] * b[2];
    yx += w * a[1] * b[0];
    yy += w * a[1] * b[1];
    yz += w * a[1] * b[2];
    zx += w * a[2] * b[0];
    zy += w * a[2] * b[1];
    zz += w * a[2] * b[2];
    sourceSquares += w * (a[0] * a[0] + a[1] * a[1] + a[2] * a[2]);
  });
  const [w, x, y, z] = dominantEigenvector([
    [xx + yy + zz, yz - zy, zx - xz, xy - yx],
    [yz - zy, xx - yy - zz, xy + yx, zx + xz],
    [zx - xz, xy + yx, yy - xx - zz, yz + zy],
    [xy - yx, zx + xz, yz + zy, zz - xx - yy],
  ]);
  const rotation = rotationOfQuaternion(w ?? 1, x ?? 0, y ?? 0, z ?? 0);
  const covarianceAlongFit =
    rotation[0] * xx +
    rotation[3] * xy +
    rotation[6] * xz +
    rotation[1] * yx +
    rotation[4] * yy +
    rotation[7] * yz +
    rotation[2] * zx +
    rotation[5] * zy +
    rotation[8] * zz;
  const factor = sourceSquares === 0 ? 0 : covarianceAlongFit / sourceSquares;
  const translation = subtract(targetMean, scale(apply(rotation, sourceMean), factor));
  let squares = 0;
  source.forEach((point, i) => {
    const fitted = scale(apply(rotation, point), factor);
    const seen = target[i] ?? targetMean;
    squares +=
      (weights[i] ?? 0) *
      ((fitted[0] + translation[0] - seen[0]) ** 2 +
        (fitted[1] + translation[1] - seen[1]) ** 2 +
        (fitted[2] + translation[2] - seen[2]) ** 2);
  });
  return { rotation, factor, translation, rms: Math.sqrt(squares / weightSum) };
}
