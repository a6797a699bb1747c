import { MESH_SIZE } from './mesh-output.ts';

/** Green at a place of the mesh's input tensor (3 × 192 × 192, 0–1), bilinear, the border repeated; places count from pixel corners. */
export function greenAt(planes: Float32Array, xPx: number, yPx: number): number {
  const last = MESH_SIZE - 1.001;
  const x = Math.min(last, Math.max(0, xPx - 0.5));
  const y = Math.min(last, Math.max(0, yPx - 0.5));
  const left = x | 0;
  const top = y | 0;
  const right = x - left;
  const lower = y - top;
  const at = MESH_SIZE * MESH_SIZE + top * MESH_SIZE + left;
  const upperRow = (1 - right) * (planes[at] as number) + right * (planes[at + 1] as number);
  const lowerRow = (1 - right) * (planes[at + MESH_SIZE] as number) + right * (planes[at + MESH_SIZE + 1] as number);
  return (1 - lower) * upperRow + lower * lowerRow;
}

/** Green around a landmark, mean of nine places; `landmarks` in the tensor's pixels. */
export function greenAround(planes: Float32Array, landmarks: Float32Array, point: number): number {
  const x = landmarks[point * 3] as number;
  const y = landmarks[point * 3 + 1] as number;
  let sum = 0;
  for (const dy of [-2, 0, 2]) for (const dx of [-2, 0, 2]) sum += greenAt(planes, x + dx, y + dy);
  return sum / 9;
}
