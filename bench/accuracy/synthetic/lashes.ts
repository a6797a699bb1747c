import { BufferAttribute, BufferGeometry, DoubleSide, Mesh, MeshStandardMaterial, type Vector3 } from 'three';
import type { Skin } from './skin.ts';

/** The upper lid's edge from corner to corner, as vertices of the head's mesh. */
const LID_BINS = 16;
const HALF_LID_M = 0.0145;
/** Least share of the blink's largest movement that a vertex of the edge has. */
const MOVES = 0.12;
const LASH_M = 0.003;

/** Upper lashes of one eye, as a ribbon that follows the lid. The model has none, and the mesh looks for a lid line. */
export interface Lashes {
  readonly mesh: Mesh;
  /** Puts the ribbon where the lid is. `shut`: 0–1, lashes point up from an open eye and down from a shut one. */
  follow(shut: number): void;
}

/** The vertices of the upper lid's edge: in each bin the lowest of those that the blink moves down. */
function lidEdge({ places, morph }: Skin, eye: Vector3, blinkName: string): number[] {
  const blink = morph(blinkName);
  const drops = [...blink.vertices].map((vertex, i) => ({ vertex, drop: -(blink.offsets[i * 3 + 1] ?? 0) }));
  const largest = Math.max(...drops.map(({ drop }) => drop));
  const lowest: (number | undefined)[] = Array.from({ length: LID_BINS });
  for (const { vertex, drop } of drops) {
    const bin = Math.floor(((places.getX(vertex) - eye.x + HALF_LID_M) / (2 * HALF_LID_M)) * LID_BINS);
    if (bin < 0 || bin >= LID_BINS || places.getZ(vertex) < eye.z || drop < MOVES * largest) continue;
    const best = lowest[bin];
    if (best === undefined || places.getY(vertex) < places.getY(best)) lowest[bin] = vertex;
  }
  return lowest.flatMap((vertex) => vertex ?? []);
}

/** Lashes of the eye at `eye`, whose lid the morph `blinkName` shuts; the skin is at rest. */
export function makeLashes(skin: Skin, eye: Vector3, blinkName: string): Lashes {
  const { places } = skin;
  const edge = lidEdge(skin, eye, blinkName);
  const ribbon = new Float32Array(edge.length * 2 * 3);
  const geometry = new BufferGeometry();
  geometry.setAttribute('position', new BufferAttribute(ribbon, 3));
  geometry.setIndex(edge.slice(1).flatMap((_, i) => [2 * i, 2 * i + 1, 2 * i + 2, 2 * i + 1, 2 * i + 3, 2 * i + 2]));
  const mesh = new Mesh(geometry, new MeshStandardMaterial({ color: 0x1a1210, roughness: 1, side: DoubleSide }));
  mesh.frustumCulled = false;
  return {
    mesh,
    follow: (shut) => {
      edge.forEach((vertex, i) => {
        const at = [places.getX(vertex), places.getY(vertex), places.getZ(vertex)] as const;
        const outward = (at[0] - eye.x) / HALF_LID_M;
        const tip = [outward * 0.3, 0.45 - 1.1 * shut, 0.8];
        ribbon.set(at, i * 6);
        ribbon.set(
          at.map((value, axis) => value + LASH_M * (tip[axis] ?? 0)),
          i * 6 + 3,
        );
      });
      geometry.getAttribute('position').needsUpdate = true;
      geometry.computeVertexNormals();
    },
  };
}
