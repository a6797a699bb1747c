/** A mesh with flat arrays; vertices, normals and colours in threes, texture places in twos. */
export interface PartMesh {
  readonly places: Float32Array;
  readonly normals: Float32Array;
  readonly triangles: Uint32Array;
  readonly colors?: Float32Array;
  readonly uvs?: Float32Array;
  readonly morphs?: Readonly<Record<string, Float32Array>>;
}

/** A named part and where its origin lies. */
export interface Part {
  readonly name: string;
  readonly origin: readonly [number, number, number];
  readonly mesh: PartMesh;
  /** PNG of its colours; else white, and its vertices' own colours. */
  readonly texture?: Uint8Array;
}

const FLOAT = 5126;
const UNSIGNED_INT = 5125;
const GLTF_MAGIC = 0x46546c67;
const CHUNK_JSON = 0x4e4f534a;
const CHUNK_BINARY = 0x004e4942;

/** Binary glTF 2.0 of some parts, one node each. */
export function encodeGlb(parts: readonly Part[]): Uint8Array {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const bufferViews: object[] = [];
  const accessors: object[] = [];
  const viewOf = (bytes: Uint8Array): number => {
    const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
    padded.set(bytes);
    bufferViews.push({ buffer: 0, byteOffset: length, byteLength: bytes.length });
    chunks.push(padded);
    length += padded.length;
    return bufferViews.length - 1;
  };
  const accessorOf = (array: Float32Array | Uint32Array, type: 'SCALAR' | 'VEC2' | 'VEC3'): number => {
    const size = { SCALAR: 1, VEC2: 2, VEC3: 3 }[type];
    const bounds =
      type === 'VEC3'
        ? [0, 1, 2].map((axis) => {
            let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
            for (let at = axis; at < array.length; at += 3) {
              min = Math.min(min, array[at] ?? 0);
              max = Math.max(max, array[at] ?? 0);
            }
            return { min, max };
          })
        : null;
    accessors.push({
      bufferView: viewOf(new Uint8Array(array.buffer, array.byteOffset, array.byteLength)),
      componentType: array instanceof Float32Array ? FLOAT : UNSIGNED_INT,
      count: array.length / size,
      type,
      ...(bounds === null ? {} : { min: bounds.map(({ min }) => min), max: bounds.map(({ max }) => max) }),
    });
    return accessors.length - 1;
  };
  const images: object[] = [];
  const materials: object[] = [];
  const meshes: object[] = [];
  for (const { mesh, texture } of parts) {
    if (texture !== undefined) images.push({ bufferView: viewOf(texture), mimeType: 'image/png' });
    materials.push({
      pbrMetallicRoughness: {
        metallicFactor: 0,
        roughnessFactor: 0.7,
        ...(texture === undefined ? {} : { baseColorTexture: { index: images.length - 1 } }),
      },
    });
    const names = Object.keys(mesh.morphs ?? {});
    meshes.push({
      primitives: [
        {
          attributes: {
            POSITION: accessorOf(mesh.places, 'VEC3'),
            NORMAL: accessorOf(mesh.normals, 'VEC3'),
            ...(mesh.colors === undefined ? {} : { COLOR_0: accessorOf(mesh.colors, 'VEC3') }),
            ...(mesh.uvs === undefined ? {} : { TEXCOORD_0: accessorOf(mesh.uvs, 'VEC2') }),
          },
          indices: accessorOf(mesh.triangles, 'SCALAR'),
          material: materials.length - 1,
          ...(names.length === 0
            ? {}
            : { targets: Object.values(mesh.morphs ?? {}).map((morph) => ({ POSITION: accessorOf(morph, 'VEC3') })) }),
        },
      ],
      ...(names.length === 0 ? {} : { extras: { targetNames: names } }),
    });
  }
  const json = JSON.stringify({
    asset: { version: '2.0' },
    scene: 0,
    scenes: [{ nodes: parts.map((_, i) => i) }],
    nodes: parts.map(({ name, origin }, i) => ({ name, mesh: i, translation: origin })),
    meshes,
    materials,
    textures: images.map((_, source) => ({ source })),
    images,
    accessors,
    bufferViews,
    buffers: [{ byteLength: length }],
  });
  const text = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 4) * 4));
  const bytes = new Uint8Array(12 + 8 + text.length + 8 + length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, GLTF_MAGIC, true);
  view.setUint32(4, 2, true);
  view.setUint32(8, bytes.length, true);
  view.setUint32(12, text.length, true);
  view.setUint32(16, CHUNK_JSON, true);
  bytes.set(text, 20);
  view.setUint32(20 + text.length, length, true);
  view.setUint32(24 + text.length, CHUNK_BINARY, true);
  let at = 28 + text.length;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
