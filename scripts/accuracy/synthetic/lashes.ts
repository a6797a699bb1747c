import { BufferAttribute, BufferGeometry, DoubleSide, Mesh, MeshStandardMaterial, type Vector3 } from 'three';

/** The upper lid's edge from corner to corner, as vertices of the head's mesh. */
const LID_BINS = 16;
const HALF_LID_M = 0.0145;
/** Least share of the blink's largest movement that a vertex of the edge has. */
const MOVES = 0.12;
const LASH_M = 0.003;

/** Upper lashes of one eye, as a ribbon that follows the lid. The model has none, and the mesh looks for a lid line. */
export interface Lashes {
  readonly mesh: Mesh;
  /** Puts the ribbon where the morphs put the lid. `shut`: 0–1, lashes point up from an open eye and down from a shut one. */
  follow(shut: number): void;
}

type Values = ArrayLike<number>;

function lidEdge(places: Values, blink: Values, eye: Vector3): number[] {
  const lowest: (number | undefined)[] = Array.from({ length: LID_BINS });
  let largest = 0;
  for (let i = 1; i < blink.length; i += 3) largest = Math.max(largest, -(blink[i] ?? 0));
  for (let vertex = 0; vertex < places.length / 3; vertex++) {
    const [x = 0, y = 0, z = 0] = [places[vertex * 3], places[vertex * 3 + 1], places[vertex * 3 + 2]];
    const bin = Math.floor(((x - eye.x + HALF_LID_M) / (2 * HALF_LID_M)) * LID_BINS);
    if (bin < 0 || bin >= LID_BINS || z < eye.z || -(blink[vertex * 3 + 1] ?? 0) < MOVES * largest) continue;
    const best = lowest[bin];
    if (best === undefined || y < (places[best * 3 + 1] ?? 0)) lowest[bin] = vertex;
  }
  return lowest.flatMap((vertex) => vertex ?? []);
}

/** Lashes of the eye at `eye`, whose lid the morph number `blinkMorph` of `head` shuts. */
export function makeLashes(head: Mesh, eye: Vector3, blinkMorph: number): Lashes {
  const places = head.geometry.getAttribute('position');
  const morphs = head.geometry.morphAttributes.position ?? [];
  const blink = morphs[blinkMorph];
  if (blink === undefined) throw new Error('the head has no blink');
  const edge = lidEdge(places.array, blink.array, eye);
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
        const at = [places.getX(vertex), places.getY(vertex), places.getZ(vertex)] as [number, number, number];
        morphs.forEach((morph, name) => {
          const weight = head.morphTargetInfluences?.[name] ?? 0;
          if (weight === 0) return;
          at[0] += weight * morph.getX(vertex);
          at[1] += weight * morph.getY(vertex);
          at[2] += weight * morph.getZ(vertex);
        });
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
