import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { seededRandom } from '../../../harness/random.ts';
import { type BaseMesh, type EyeMesh, openShapes, readBaseMesh, readEyes, type Shape } from './base-mesh.ts';
import { encodeGlb, type Part, type PartMesh } from './glb.ts';
import { ORIGINS, type Recipe } from './recipes.ts';

/** The mesh is in decimetres, the renderer in metres. */
const METRES = 0.1;
/** The head is cut off this far above the neck's joint, dm. */
const CUT_UNDER_NECK = 0.15;
/** How much of a shut lid's way the lid goes that follows the eye, all the way down or up. */
const LID_FOLLOWS_DOWN = 0.45;
const LID_FOLLOWS_UP = 0.5;
/** Texture of the eyes: its side as it is used, and where the irises are, in shares of it. */
const TEXTURE_PX = 512;
const IRISES = [
  [0.293, 0.709],
  [0.708, 0.297],
] as const;
const IRIS_RADIUS = 0.117;

/** Lips over skin: red, green, blue. */
const LIP_COLOR = [0.85, 0.5, 0.55];

type Vec = readonly [number, number, number];

/** Builds heads of the MakeHuman base mesh. */
export interface HeadShop {
  /** A binary glTF as synthetic/page.ts loads it: Head with lid morphs, LeftEye, RightEye. */
  build(recipe: Recipe): Promise<Uint8Array>;
}

function move(places: Float64Array, { vertices, offsets }: Shape, weight: number): void {
  vertices.forEach((vertex, i) => {
    for (let axis = 0; axis < 3; axis++) {
      const at = vertex * 3 + axis;
      places[at] = (places[at] ?? 0) + weight * (offsets[i * 3 + axis] ?? 0);
    }
  });
}

function at(places: Float64Array, vertex: number): Vec {
  return [places[vertex * 3] ?? 0, places[vertex * 3 + 1] ?? 0, places[vertex * 3 + 2] ?? 0];
}

/** A joint is the mean of its cube's vertices. */
function jointOf({ groups }: BaseMesh, places: Float64Array, name: string): Vec {
  const vertices = [...new Set((groups.get(name) ?? []).flat())];
  const sum = vertices.reduce<Vec>(
    (total, vertex) => {
      const [x, y, z] = at(places, vertex);
      return [total[0] + x, total[1] + y, total[2] + z];
    },
    [0, 0, 0],
  );
  return [sum[0] / vertices.length, sum[1] / vertices.length, sum[2] / vertices.length];
}

function normalsOf(places: Float32Array, triangles: Uint32Array): Float32Array {
  const normals = new Float32Array(places.length);
  for (let t = 0; t < triangles.length; t += 3) {
    const [a = 0, b = 0, c = 0] = triangles.subarray(t, t + 3);
    const edge = (from: number, to: number): Vec =>
      [0, 1, 2].map((axis) => (places[to * 3 + axis] ?? 0) - (places[from * 3 + axis] ?? 0)) as unknown as Vec;
    const [u, v] = [edge(a, b), edge(a, c)];
    const normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    for (const vertex of [a, b, c])
      for (let axis = 0; axis < 3; axis++)
        normals[vertex * 3 + axis] = (normals[vertex * 3 + axis] ?? 0) + (normal[axis] ?? 0);
  }
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.hypot(normals[i] ?? 0, normals[i + 1] ?? 0, normals[i + 2] ?? 0) || 1;
    for (let axis = 0; axis < 3; axis++) normals[i + axis] = (normals[i + axis] ?? 0) / length;
  }
  return normals;
}

/** How much each vertex belongs to a place that a shape moves, 0–1. */
function maskOf(shapes: readonly Shape[]): Map<number, number> {
  const mask = new Map<number, number>();
  for (const { vertices, offsets } of shapes) {
    const lengths = [...vertices].map((_, i) => Math.hypot(...offsets.subarray(i * 3, i * 3 + 3)));
    const longest = Math.max(...lengths);
    vertices.forEach((vertex, i) => {
      mask.set(vertex, Math.max(mask.get(vertex) ?? 0, (lengths[i] ?? 0) / longest));
    });
  }
  return mask;
}

function ramp(value: number, from: number, to: number): number {
  return Math.min(1, Math.max(0, (value - from) / (to - from)));
}

/** The eyes' texture with irises of another colour. */
async function eyeTexture(png: Uint8Array, iris: Vec): Promise<Uint8Array> {
  const { data, info } = await sharp(png).resize(TEXTURE_PX).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  for (let y = 0; y < info.height; y++) {
    for (let x = 0; x < info.width; x++) {
      const isIris = IRISES.some(([u, v]) => Math.hypot(x / info.width - u, y / info.height - v) < IRIS_RADIUS);
      if (!isIris) continue;
      const pixel = (y * info.width + x) * 3;
      for (let c = 0; c < 3; c++) data[pixel + c] = Math.min(255, (data[pixel + c] ?? 0) * (iris[c] ?? 1));
    }
  }
  return sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
    .png()
    .toBuffer();
}

/** The eyeball on one side (1: the model's left) as its own mesh around `center`, metres. */
function eyeball(eyes: EyeMesh, places: Float64Array, side: 1 | -1, center: Vec): PartMesh {
  const scale = eyes.scales.map(({ from, to, at: before }, axis) => {
    const [a, b] = [at(places, from)[axis] ?? 0, at(places, to)[axis] ?? 0];
    return Math.abs(a - b) / before;
  });
  const placeOf = (vertex: number): Vec => {
    const { on, weights, offset } = eyes.hangs[vertex] ?? { on: [], weights: [], offset: [] };
    return [0, 1, 2].map((axis) => {
      const hung = on.reduce((sum, base, i) => sum + (weights[i] ?? 0) * (at(places, base)[axis] ?? 0), 0);
      return (hung + (offset[axis] ?? 0) * (scale[axis] ?? 1) - (center[axis] ?? 0)) * METRES;
    }) as unknown as Vec;
  };
  const vertices: number[] = [];
  const uvs: number[] = [];
  const triangles: number[] = [];
  const known = new Map<string, number>();
  for (const face of eyes.faces) {
    const first = face[0];
    if (first === undefined || Math.sign(at(places, eyes.hangs[first.vertex]?.on[0] ?? 0)[0]) !== side) continue;
    const corners = face.map(({ vertex, uv }) => {
      const key = `${vertex}/${uv.join()}`;
      const index = known.get(key) ?? vertices.length / 3;
      if (!known.has(key)) {
        known.set(key, index);
        vertices.push(...placeOf(vertex));
        uvs.push(uv[0], 1 - uv[1]);
      }
      return index;
    });
    for (let i = 2; i < corners.length; i++) triangles.push(corners[0] ?? 0, corners[i - 1] ?? 0, corners[i] ?? 0);
  }
  const mesh = { places: Float32Array.from(vertices), triangles: Uint32Array.from(triangles) };
  return { ...mesh, normals: normalsOf(mesh.places, mesh.triangles), uvs: Float32Array.from(uvs) };
}

/** Opens the folder of the MakeHuman base mesh and shapes. Rejects when a part of it is not there. */
export async function openHeadShop(dir: string): Promise<HeadShop> {
  const [base, eyes, iris] = await Promise.all([
    readBaseMesh(dir),
    readEyes(dir),
    readFile(join(dir, 'eyes/materials/brown_eye.png')),
  ]);
  const shapeOf = openShapes(dir);
  const lips = maskOf([
    await shapeOf('mouth/mouth-upperlip-volume-incr'),
    await shapeOf('mouth/mouth-lowerlip-volume-incr'),
  ]);
  const brows = maskOf([await shapeOf('eyebrows/eyebrows-trans-up')]);

  const shaped = async ({ origins, sex, age, shapes }: Recipe): Promise<Float64Array> => {
    const places = base.places.slice();
    const ages = age === 'young' ? { young: 1 } : age === 'old' ? { old: 0.8, young: 0.2 } : { child: 0.6, young: 0.4 };
    for (const origin of ORIGINS) {
      for (const [name, weight] of Object.entries(ages)) {
        if (origins[origin] > 0)
          move(places, await shapeOf(`macrodetails/${origin}-${sex}-${name}`), origins[origin] * weight);
      }
    }
    for (const [name, weight] of Object.entries(shapes)) move(places, await shapeOf(name), weight);
    return places;
  };

  const colorsOf = (recipe: Recipe, places: Float64Array, vertices: readonly number[], eyeY: number): Float32Array => {
    const random = seededRandom(recipe.name.length);
    const chin = jointOf(base, places, 'joint-mouth')[1];
    const face = Math.max(0.5, eyeY - chin);
    const colors = new Float32Array(vertices.length * 3);
    const back = jointOf(base, places, 'joint-head')[2];
    vertices.forEach((vertex, i) => {
      const [x, y, z] = at(places, vertex);
      const isEar = Math.abs(x) > 0.62 && y < eyeY + 0.25 && y > eyeY - 0.75 && z > back - 0.25;
      const above = ramp(
        y,
        eyeY + 1.35 * face - 0.35 * Math.max(0, z - back),
        eyeY + 1.55 * face - 0.35 * Math.max(0, z - back),
      );
      const behind = y > eyeY - 0.5 && z < back + 0.25 ? 1 : 0;
      const hair = isEar ? 0 : Math.max(above, behind);
      const brow = ramp(brows.get(vertex) ?? 0, 0.4, 0.7) * Math.min(1, 0.8 * recipe.browThickness);
      const lip = ramp(lips.get(vertex) ?? 0, 0.25, 0.6);
      const grain = 1 + 0.08 * (random() - 0.5);
      for (let c = 0; c < 3; c++) {
        const skin = (recipe.skin[c] ?? 0) * grain;
        const lipColor = skin * (LIP_COLOR[c] ?? 1);
        const withLips = skin + lip * (lipColor - skin);
        const dark = Math.max(hair, brow);
        colors[i * 3 + c] = withLips + dark * ((recipe.hair[c] ?? 0) - withLips);
      }
    });
    return colors;
  };

  const lidMorph = async (recipe: Recipe, unit: string, weight: number, index: ReadonlyMap<number, number>) => {
    const morph = new Float32Array(index.size * 3);
    for (const origin of ORIGINS) {
      if (recipe.origins[origin] === 0) continue;
      const { vertices, offsets } = await shapeOf(`expression/units/${origin}/${unit}`);
      vertices.forEach((vertex, i) => {
        const to = index.get(vertex);
        if (to === undefined) return;
        for (let axis = 0; axis < 3; axis++) {
          const cell = to * 3 + axis;
          morph[cell] = (morph[cell] ?? 0) + weight * recipe.origins[origin] * METRES * (offsets[i * 3 + axis] ?? 0);
        }
      });
    }
    return morph;
  };

  return {
    build: async (recipe) => {
      const places = await shaped(recipe);
      const [left, right] = [jointOf(base, places, 'joint-l-eye'), jointOf(base, places, 'joint-r-eye')];
      const cut = jointOf(base, places, 'joint-neck')[1] - CUT_UNDER_NECK;
      const faces = (base.groups.get('body') ?? []).filter((face) =>
        face.every((vertex) => (places[vertex * 3 + 1] ?? 0) > cut && Math.abs(places[vertex * 3] ?? 0) < 1.3),
      );
      const vertices = [...new Set(faces.flat())];
      const index = new Map(vertices.map((vertex, i) => [vertex, i]));
      const triangles = Uint32Array.from(
        faces.flatMap((face) => {
          const corners = face.map((vertex) => index.get(vertex) ?? 0);
          return corners.slice(2).flatMap((_, i) => [corners[0] ?? 0, corners[i + 1] ?? 0, corners[i + 2] ?? 0]);
        }),
      );
      const head = Float32Array.from(vertices.flatMap((vertex) => at(places, vertex).map((value) => value * METRES)));
      const none = new Float32Array(head.length);
      const morphs: Record<string, Float32Array> = {};
      for (const [name, unit] of [
        ['Left', 'left'],
        ['Right', 'right'],
      ] as const) {
        morphs[`eyeBlink${name}`] = await lidMorph(recipe, `eye-${unit}-closure`, 1, index);
        morphs[`eyeLookDown${name}`] = await lidMorph(recipe, `eye-${unit}-closure`, LID_FOLLOWS_DOWN, index);
        morphs[`eyeLookUp${name}`] = await lidMorph(recipe, `eye-${unit}-opened-up`, LID_FOLLOWS_UP, index);
        morphs[`eyeLookIn${name}`] = none;
        morphs[`eyeLookOut${name}`] = none;
      }
      const texture = await eyeTexture(iris, recipe.iris);
      const eye = (name: string, side: 1 | -1, center: Vec): Part => ({
        name,
        origin: [center[0] * METRES, center[1] * METRES, center[2] * METRES],
        mesh: eyeball(eyes, places, side, center),
        texture,
      });
      return encodeGlb([
        {
          name: 'Head',
          origin: [0, 0, 0],
          mesh: {
            places: head,
            normals: normalsOf(head, triangles),
            triangles,
            colors: colorsOf(recipe, places, vertices, (left[1] + right[1]) / 2),
            morphs,
          },
        },
        eye('LeftEye', 1, left),
        eye('RightEye', -1, right),
      ]);
    },
  };
}
