import type { BufferAttribute, Mesh } from 'three';

/** One morph as the vertices that it moves: x, y, z of each, three by three. */
interface Morph {
  readonly vertices: Uint32Array;
  readonly offsets: Float32Array;
}

/**
 * A head's mesh whose morphs are added up here and not on the graphics side, which without hardware
 * goes through all vertices and morphs for the picture and for its shadows.
 */
export interface Skin {
  readonly mesh: Mesh;
  /** Places of the vertices as they are now, x, y, z each. */
  readonly places: BufferAttribute;
  morph(name: string): Morph;
  /** Puts the vertices where the weights say; morphs without one are at rest. */
  pose(weights: Readonly<Record<string, number>>): void;
}

function sparse(offsets: ArrayLike<number>): Morph {
  const vertices: number[] = [];
  for (let i = 0; i < offsets.length; i += 3) {
    if (offsets[i] || offsets[i + 1] || offsets[i + 2]) vertices.push(i / 3);
  }
  return {
    vertices: Uint32Array.from(vertices),
    offsets: Float32Array.from(vertices.flatMap((v) => [0, 1, 2].map((axis) => offsets[v * 3 + axis] ?? 0))),
  };
}

/** Takes the morphs off a mesh that has them. Throws when it has none. */
export function makeSkin(mesh: Mesh): Skin {
  const { geometry } = mesh;
  const names = Object.entries(mesh.morphTargetDictionary ?? {});
  const morphs = new Map(
    names.map(([name, index]) => [name, sparse(geometry.morphAttributes.position?.[index]?.array ?? [])]),
  );
  geometry.morphAttributes = {};
  mesh.updateMorphTargets();
  const places = geometry.getAttribute('position') as BufferAttribute;
  const rest = Float32Array.from(places.array);
  const morph = (name: string): Morph => {
    const found = morphs.get(name);
    if (found === undefined) throw new Error(`the head has no morph "${name}"`);
    return found;
  };
  return {
    mesh,
    places,
    morph,
    pose: (weights) => {
      const now = places.array as Float32Array;
      now.set(rest);
      for (const [name, weight] of Object.entries(weights)) {
        if (weight === 0) continue;
        const { vertices, offsets } = morph(name);
        vertices.forEach((vertex, i) => {
          for (let axis = 0; axis < 3; axis++) {
            const at = vertex * 3 + axis;
            now[at] = (now[at] ?? 0) + weight * (offsets[i * 3 + axis] ?? 0);
          }
        });
      }
      places.needsUpdate = true;
    },
  };
}
