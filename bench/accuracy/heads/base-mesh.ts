import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The MakeHuman base mesh (CC0): places of vertices in decimetres, y up, facing +z, and faces by group. */
export interface BaseMesh {
  readonly places: Float64Array;
  readonly groups: ReadonlyMap<string, readonly (readonly number[])[]>;
}

/** One eyeball's part of the eyes that hang on the base mesh. */
export interface EyeMesh {
  readonly faces: readonly (readonly { readonly vertex: number; readonly uv: readonly [number, number] }[])[];
  /** Each vertex as three vertices of the base mesh with weights, and an offset in units of the three scales. */
  readonly hangs: readonly {
    readonly on: readonly number[];
    readonly weights: readonly number[];
    readonly offset: readonly number[];
  }[];
  /** Pairs of base vertices and their distance in the unchanged mesh along x, y and z. */
  readonly scales: readonly { readonly from: number; readonly to: number; readonly at: number }[];
}

/** A shape: vertices that it moves, and how far, decimetres. */
export interface Shape {
  readonly vertices: Uint32Array;
  readonly offsets: Float64Array;
}

function numbersOf(words: readonly string[]): number[] {
  return words.map(Number);
}

export async function readBaseMesh(dir: string): Promise<BaseMesh> {
  const places: number[] = [];
  const groups = new Map<string, number[][]>();
  let group: number[][] = [];
  for (const line of (await readFile(join(dir, '3dobjs/base.obj'), 'utf8')).split('\n')) {
    const [kind, ...words] = line.trim().split(/\s+/);
    if (kind === 'v') places.push(...numbersOf(words).slice(0, 3));
    else if (kind === 'g') {
      group = groups.get(words[0] ?? '') ?? [];
      groups.set(words[0] ?? '', group);
    } else if (kind === 'f') group.push(words.map((word) => Number(word.split('/')[0]) - 1));
  }
  return { places: Float64Array.from(places), groups };
}

/** The high-poly eyes, without the clear corneas: their part of the texture is transparent. */
export async function readEyes(dir: string): Promise<EyeMesh> {
  const uvs: [number, number][] = [];
  const faces: { vertex: number; uv: readonly [number, number] }[][] = [];
  for (const line of (await readFile(join(dir, 'eyes/high-poly/high-poly.obj'), 'utf8')).split('\n')) {
    const [kind, ...words] = line.trim().split(/\s+/);
    if (kind === 'vt') uvs.push([Number(words[0]), Number(words[1])]);
    else if (kind === 'f') {
      const face = words.map((word) => {
        const [vertex = 0, uv = 0] = numbersOf(word.split('/'));
        return { vertex: vertex - 1, uv: uvs[uv - 1] ?? ([0, 0] as const) };
      });
      if (!face.every(({ uv: [u, v] }) => u > 0.86 && v < 0.14)) faces.push(face);
    }
  }
  const scales = new Map<string, EyeMesh['scales'][number]>();
  const hangs: EyeMesh['hangs'][number][] = [];
  for (const line of (await readFile(join(dir, 'eyes/high-poly/high-poly.mhclo'), 'utf8')).split('\n')) {
    const words = line.trim().split(/\s+/);
    const scale = words[0]?.match(/^([xyz])_scale$/)?.[1];
    const numbers = numbersOf(words);
    if (scale !== undefined) {
      const [, from = 0, to = 0, at = 1] = numbers;
      scales.set(scale, { from, to, at });
    } else if (numbers.length === 9 && numbers.every(Number.isFinite)) {
      hangs.push({ on: numbers.slice(0, 3), weights: numbers.slice(3, 6), offset: numbers.slice(6) });
    }
  }
  return { faces, hangs, scales: ['x', 'y', 'z'].flatMap((axis) => scales.get(axis) ?? []) };
}

/** Reads shapes (targets) by their names below `targets`, each once. */
export function openShapes(dir: string): (name: string) => Promise<Shape> {
  const read = new Map<string, Promise<Shape>>();
  return (name) => {
    const known = read.get(name);
    if (known !== undefined) return known;
    const shape = readFile(join(dir, 'targets', `${name}.target`), 'utf8').then((text) => {
      const rows = text
        .split('\n')
        .filter((line) => /^\d/.test(line))
        .map((line) => numbersOf(line.trim().split(/\s+/)));
      return {
        vertices: Uint32Array.from(rows, ([vertex = 0]) => vertex),
        offsets: Float64Array.from(rows.flatMap(([, x = 0, y = 0, z = 0]) => [x, y, z])),
      };
    });
    read.set(name, shape);
    return shape;
  };
}
