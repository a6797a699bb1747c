import { posix } from 'node:path';
import { EXCEPTIONS, PRODUCT, ROOMS, roomOf } from './map.ts';

/** One file imports another. */
export interface Edge {
  readonly from: string;
  readonly to: string;
}

/** Sources by path from the project's root. */
export type Sources = ReadonlyMap<string, string>;

/**
 * Types included: esbuild's metafile leaves those out, and dependency-cruiser and madge read TypeScript through the
 * compiler's JavaScript API, which TypeScript 7 no longer has. The formatter keeps every import in these forms.
 */
const IMPORT = /(?:\bfrom |\bimport |\bimport\()'(\.[^']+)'/g;

/** Imports between the given files, of values and types. */
export function edgesOf(sources: Sources): Edge[] {
  return [...sources].flatMap(([from, text]) =>
    [...text.matchAll(IMPORT)].flatMap(([, specifier = '']) => {
      const to = posix.join(posix.dirname(from), specifier);
      return sources.has(to) ? [{ from, to }] : [];
    }),
  );
}

function allows(from: string, to: string): boolean {
  if (from === to) return true;
  return (ROOMS[from]?.imports ?? []).some((name) => to === name || to.startsWith(`${name}/`));
}

/** The edge in words when the map does not allow it, else null. */
export function brokenRule({ from, to }: Edge): string | null {
  const [fromRoom, toRoom] = [roomOf(from), roomOf(to)];
  if (fromRoom === null || (toRoom !== null && allows(fromRoom, toRoom))) return null;
  return `${from} > ${to}: ${fromRoom} may not import ${toRoom ?? 'files outside the map'}`;
}

/** Circles among the edges, one for each knot of files: paths whose last file is the first one again. */
export function circlesOf(edges: readonly Edge[]): string[][] {
  const targets = new Map<string, string[]>();
  for (const { from, to } of edges) targets.set(from, [...(targets.get(from) ?? []), to]);
  const done = new Set<string>();
  const circles: string[][] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) circles.push([...path.slice(at), file]);
    if (at >= 0 || done.has(file)) return;
    for (const target of targets.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  return circles;
}

/** What is wrong with these imports, one line each; `exceptions` are known and must be there. */
export function faultsOf(edges: readonly Edge[], exceptions: readonly string[] = EXCEPTIONS): string[] {
  const broken = edges.flatMap((edge) => brokenRule(edge) ?? []);
  const isExcepted = (fault: string) => exceptions.some((exception) => fault.startsWith(`${exception}:`));
  const stale = exceptions.filter((exception) => !broken.some((fault) => fault.startsWith(`${exception}:`)));
  return [
    ...broken.filter((fault) => !isExcepted(fault)),
    ...stale.map((exception) => `${exception}: no longer imported, take it out of EXCEPTIONS`),
    ...circlesOf(edges).map((circle) => `import circle: ${circle.join(' > ')}`),
  ];
}

function cell(names: readonly string[]): string {
  const isProduct = PRODUCT.every((name) => names.includes(name));
  const listed = names.filter((name) => !isProduct || !PRODUCT.includes(name)).map((name) => `\`${name}\``);
  return [...(isProduct ? ['the product'] : []), ...listed].join(' ') || '–';
}

/** The map as a Markdown table, for CONTRIBUTING.md. */
export function mapTable(): string {
  const rows = Object.entries(ROOMS).map(([name, room]) => `| \`${name}\` | ${room.holds} | ${cell(room.imports)} |`);
  return ['| folder | holds | may import |', '|---|---|---|', ...rows].join('\n');
}

const BEGIN = '<!-- map: npm run imports -- --write -->';
const END = '<!-- end of map -->';

/** CONTRIBUTING.md with the map made anew. Throws when a marker is missing. */
export function contributingWithMap(text: string): string {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error('CONTRIBUTING.md lacks the markers of the map');
  return `${text.slice(0, from + BEGIN.length)}\n\n${mapTable()}\n\n${text.slice(to)}`;
}
