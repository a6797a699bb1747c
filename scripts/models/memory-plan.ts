import type { Layer } from '../../shared/vision/network.ts';

/** A layer with the offsets of its values in place of their numbers. */
export function withOffsets(layer: Layer, at: (id: number) => number): Layer {
  switch (layer.kind) {
    case 'stem':
      return { ...layer, to: at(layer.to) };
    case 'pointwise': {
      const added = layer.added === null ? null : { ...layer.added, from: at(layer.added.from) };
      return { ...layer, from: at(layer.from), to: at(layer.to), added };
    }
    case 'regions':
      return { ...layer, mesh: at(layer.mesh), features: at(layer.features), to: layer.to.map(at) };
    default:
      return { ...layer, from: at(layer.from), to: at(layer.to) };
  }
}

function usedBy(layer: Layer): number[] {
  switch (layer.kind) {
    case 'stem':
      return [layer.to];
    case 'pointwise':
      return [layer.from, layer.to, ...(layer.added === null ? [] : [layer.added.from])];
    case 'regions':
      return [layer.mesh, layer.features, ...layer.to];
    default:
      return [layer.from, layer.to];
  }
}

/** Offsets of values, in floats, by their number; and how many floats they need in all. */
export interface MemoryPlan {
  readonly at: readonly number[];
  readonly floats: number;
}

/** An offset for every value (`sizes`, floats); memory is reused once no layer reads it any more. `kept` are read at the end. */
export function planMemory(sizes: readonly number[], layers: readonly Layer[], kept: readonly number[]): MemoryPlan {
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  layers.forEach((layer, index) => {
    for (const id of usedBy(layer)) {
      if (!first.has(id)) first.set(id, index);
      last.set(id, index);
    }
  });
  for (const id of kept) last.set(id, layers.length);
  const at: number[] = [];
  let floats = 0;
  const live: { start: number; end: number; until: number }[] = [];
  for (const [id, from] of [...first].sort((a, b) => a[1] - b[1])) {
    const size = sizes[id] ?? 0;
    const taken = live.filter(({ until }) => until >= from).sort((a, b) => a.start - b.start);
    let start = 0;
    for (const other of taken) if (other.start < start + size && other.end > start) start = other.end;
    at[id] = start;
    live.push({ start, end: start + size, until: last.get(id) ?? from });
    floats = Math.max(floats, start + size);
  }
  return { at, floats };
}
