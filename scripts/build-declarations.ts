import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

// Bundlers of declarations (rollup-plugin-dts, dts-bundle-generator, api-extractor) need the compiler's API, which
// TypeScript 7 does not have; rolldown-plugin-dts can do without but asks npm for TypeScript 5 or 6 on Node 20. What tsc
// writes is regular enough to be joined by its lines.

const root = fileURLToPath(new URL('..', import.meta.url));

/** A declaration file as tsc writes it. */
interface DeclarationFile {
  /** Text of each statement, with its comment, by the name that it declares. */
  readonly statements: ReadonlyMap<string, string>;
  /** Path or package that each name comes from, for imported names and names exported from elsewhere. */
  readonly sources: ReadonlyMap<string, string>;
}

function parse(text: string): DeclarationFile {
  const statements = new Map<string, string>();
  const sources = new Map<string, string>();
  let comment = '';
  for (const chunk of text.split(/^(?=(?:class|declare|export|import|interface|type)\b)/m)) {
    // A comment at the end belongs to the next statement.
    const [, statement = '', nextComment = ''] = /^([\s\S]*?)(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?$/.exec(chunk) ?? [];
    const [, list, namespace, source = ''] =
      /^(?:import|export) (?:type )?(?:\{([^}]*)\}|\* as (\w+)) from ['"]([^'"]+)/.exec(statement) ?? [];
    const names = list?.split(',').map((name) => name.replace('type ', '').trim()) ?? [namespace ?? ''];
    for (const name of names) if (name !== '') sources.set(name, source);
    const declared = /^(?:export )?(?:declare )?(?:class|const|function|interface|type) (\w+)/.exec(statement)?.[1];
    if (declared !== undefined) statements.set(declared, comment + statement);
    comment = nextComment;
  }
  return { statements, sources };
}

/** Writes the declarations of the client's modules into `out`, unchecked: `npm run types` checks them. */
async function emit(out: string, entry: string): Promise<void> {
  const config = {
    extends: join(root, 'client/tsconfig.json'),
    compilerOptions: {
      composite: false,
      incremental: false,
      declaration: true,
      noCheck: true,
      rootDir: root,
      outDir: out,
    },
    include: [],
    files: [join(root, entry), join(root, 'client/lib/inline.d.ts')],
    references: [],
  };
  await writeFile(join(out, 'tsconfig.json'), JSON.stringify(config));
  await promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', out]);
}

/**
 * Types of a module for pages, in one file without imports: what `entry` (a file of the project, default that of
 * gaze-relay.mjs) exports and all that it refers to. Throws where that comes from a package, or where two files declare
 * the same name.
 */
export async function bundleDeclarations(entry = 'client/index.ts'): Promise<string> {
  const out = await mkdtemp(join(tmpdir(), 'gaze-relay-types-'));
  try {
    await emit(out, entry);
    const files = new Map<string, DeclarationFile>();
    const found = new Map<string, { readonly path: string; readonly text: string }>();
    const add = async (name: string, path: string): Promise<void> => {
      const file = files.get(path) ?? parse(await readFile(path, 'utf8'));
      files.set(path, file);
      const text = file.statements.get(name);
      if (text === undefined) {
        const source = file.sources.get(name);
        // A name of the language or the DOM, or of a member.
        if (source === undefined) return;
        if (!source.startsWith('.')) throw new Error(`${path}: ${name} comes from ${source}, pages may not have that`);
        return add(name, resolve(dirname(path), source.replace(/\.ts$/, '.d.ts')));
      }
      const before = found.get(name);
      if (before !== undefined && before.path !== path) throw new Error(`${name} is in ${before.path} and in ${path}`);
      if (before !== undefined) return;
      found.set(name, { path, text });
      const code = text.replace(/\/\*[\s\S]*?\*\/|'[^']*'/g, '');
      for (const used of new Set(code.match(/\b[A-Za-z_]\w*/g))) if (used !== name) await add(used, path);
    };
    const index = join(out, entry.replace(/\.ts$/, '.d.ts'));
    const file = parse(await readFile(index, 'utf8'));
    const own = [...file.statements].filter(([, text]) => /^export /m.test(text)).map(([name]) => name);
    // An entry declares what it exports, or passes on all of it.
    const exported = own.length > 0 ? own : [...file.sources.keys()];
    for (const name of exported) await add(name, index);
    const parts = [...found].map(([name, { text }]) =>
      exported.includes(name) ? text : text.replace(/^export (declare )?/m, (_, declare = '') => declare),
    );
    // Without an export list everything in a declaration file counts as exported.
    return `/** Types of gaze-relay's client, for pages in TypeScript. Generated from its sources. */\n\n${parts.join('')}export {};\n`;
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}
