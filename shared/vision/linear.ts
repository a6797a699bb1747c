/** Vectors and 3×3 matrices (row-major) in right-handed axes: x to image right, y up, z towards the camera. */
export type Vec3 = readonly [number, number, number];
export type Mat3 = readonly [number, number, number, number, number, number, number, number, number];

export const DEG_PER_RAD = 180 / Math.PI;

export function add(a: Vec3, b: Vec3): Vec3 {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

export function subtract(a: Vec3, b: Vec3): Vec3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

export function scale(a: Vec3, factor: number): Vec3 {
  return [a[0] * factor, a[1] * factor, a[2] * factor];
}

export function dot(a: Vec3, b: Vec3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/** The unit vector along `a`; a zero vector stays zero. */
export function normalize(a: Vec3): Vec3 {
  const length = Math.sqrt(dot(a, a));
  return length === 0 ? a : scale(a, 1 / length);
}

/** m · v. */
export function apply(m: Mat3, v: Vec3): Vec3 {
  return [
    m[0] * v[0] + m[1] * v[1] + m[2] * v[2],
    m[3] * v[0] + m[4] * v[1] + m[5] * v[2],
    m[6] * v[0] + m[7] * v[1] + m[8] * v[2],
  ];
}

/** a · b. */
export function multiply(a: Mat3, b: Mat3): Mat3 {
  const [c0, c1, c2] = [apply(a, [b[0], b[3], b[6]]), apply(a, [b[1], b[4], b[7]]), apply(a, [b[2], b[5], b[8]])];
  return [c0[0], c1[0], c2[0], c0[1], c1[1], c2[1], c0[2], c1[2], c2[2]];
}

/** The transpose, which is the inverse of a rotation. */
export function transpose(m: Mat3): Mat3 {
  return [m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]];
}

/** Rotation matrix of a unit quaternion (w, x, y, z). */
export function rotationOfQuaternion(w: number, x: number, y: number, z: number): Mat3 {
  return [
    1 - 2 * (y * y + z * z),
    2 * (x * y - w * z),
    2 * (x * z + w * y),
    2 * (x * y + w * z),
    1 - 2 * (x * x + z * z),
    2 * (y * z - w * x),
    2 * (x * z - w * y),
    2 * (y * z + w * x),
    1 - 2 * (x * x + y * y),
  ];
}

/** Degrees of a direction: yaw positive to image right, pitch positive up, 0/0 towards +z. */
export function anglesOfDirection(direction: Vec3): { yawDeg: number; pitchDeg: number } {
  const unit = normalize(direction);
  return {
    yawDeg: Math.atan2(unit[0], unit[2]) * DEG_PER_RAD,
    pitchDeg: Math.asin(Math.min(1, Math.max(-1, unit[1]))) * DEG_PER_RAD,
  };
}

/** Unit direction of yaw and pitch in degrees; the inverse of anglesOfDirection. */
export function directionOfAngles(yawDeg: number, pitchDeg: number): Vec3 {
  const yaw = yawDeg / DEG_PER_RAD;
  const pitch = pitchDeg / DEG_PER_RAD;
  return [Math.sin(yaw) * Math.cos(pitch), Math.sin(pitch), Math.cos(yaw) * Math.cos(pitch)];
}

/**
 * Rotation of a head with the given yaw (to image right), pitch (up) and roll (clockwise in the
 * picture), degrees: roll first, then pitch, then yaw, so that the nose direction depends on yaw and pitch alone.
 */
export function rotationOfHead(yawDeg: number, pitchDeg: number, rollDeg: number): Mat3 {
  const [cy, sy] = [Math.cos(yawDeg / DEG_PER_RAD), Math.sin(yawDeg / DEG_PER_RAD)];
  const [cp, sp] = [Math.cos(pitchDeg / DEG_PER_RAD), Math.sin(pitchDeg / DEG_PER_RAD)];
  const [cr, sr] = [Math.cos(rollDeg / DEG_PER_RAD), Math.sin(rollDeg / DEG_PER_RAD)];
  const yaw: Mat3 = [cy, 0, sy, 0, 1, 0, -sy, 0, cy];
  const pitch: Mat3 = [1, 0, 0, 0, cp, sp, 0, -sp, cp];
  const roll: Mat3 = [cr, sr, 0, -sr, cr, 0, 0, 0, 1];
  return multiply(yaw, multiply(pitch, roll));
}

/** Head angles of a rotation; the inverse of rotationOfHead for |pitch| < 90°. */
export function headAnglesOfRotation(m: Mat3): { yawDeg: number; pitchDeg: number; rollDeg: number } {
  const { yawDeg, pitchDeg } = anglesOfDirection([m[2], m[5], m[8]]);
  return { yawDeg, pitchDeg, rollDeg: Math.atan2(m[3] * -1, m[4]) * DEG_PER_RAD };
}

/** The smallest rotation that takes +z to `direction` (Rodrigues), for directions other than −z. */
export function rotationFromForward(direction: Vec3): Mat3 {
  const [x, y, z] = normalize(direction);
  const k = 1 / (1 + z);
  return [1 - x * x * k, -x * y * k, x, -x * y * k, 1 - y * y * k, y, -x, -y, z];
}

/** How far a value is on its way from `from` (0) to `to` (1), in either direction; limited to 0–1. */
export function ramp(value: number, from: number, to: number): number {
  return Math.min(1, Math.max(0, (value - from) / (to - from)));
}
