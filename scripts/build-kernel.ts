import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const SOURCES = new URL('../inference/pixels/', import.meta.url);
const GENERATED = new URL('kernel-bytes.ts', SOURCES);
/** 10 MB; it never grows, so that views of it stay valid. */
const PAGES = '160';

/** Compiles inference/pixels/*.as to WebAssembly. Throws with the compiler's messages. */
export async function compileKernel(): Promise<Uint8Array> {
  let compiled: Uint8Array | null = null;
  const { error, stderr } = await asc.main(
    [
      'index.ts',
      ...['--outFile', 'kernel.wasm', '--runtime', 'stub', '--use', 'abort='],
      ...['--optimizeLevel', '3', '--shrinkLevel', '0', '--converge', '--noAssert'],
      ...['--enable', 'simd', '--initialMemory', PAGES, '--maximumMemory', PAGES],
    ],
    {
      // The compiler wants its own language under TypeScript's extension; TypeScript's tools must not see it there.
      readFile: async (name) => {
        try {
          return await readFile(new URL(name.replace(/\.ts$/, '.as'), SOURCES), 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (name, contents) => {
        if (name === 'kernel.wasm') compiled = contents as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || compiled === null) throw new Error(`${error?.message}\n${stderr.toString()}`);
  return compiled;
}

/** The module as a TypeScript file, so that every bundle and test has it without a file to find. */
export function kernelFile(wasm: Uint8Array): string {
  return [
    '// Written by `npx tsx scripts/build-kernel.ts` from the .as files here; a test compiles them again and compares.',
    `export const KERNEL_WASM_BASE64 =\n  '${Buffer.from(wasm).toString('base64')}';\n`,
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wasm = await compileKernel();
  await writeFile(GENERATED, kernelFile(wasm));
  process.stdout.write(`inference/pixels/kernel-bytes.ts: ${wasm.length} bytes of WebAssembly\n`);
}
