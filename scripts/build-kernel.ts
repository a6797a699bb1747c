import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

/** A folder of .as files, its main file, and what its memory is. */
interface KernelSource {
  readonly folder: URL;
  readonly main: string;
  readonly memory: readonly string[];
}

/** 10 MB; it never grows, so that views of it stay valid. */
const PIXEL_PAGES = '160';

const KERNELS = {
  /** JPEG and sampling, for inference. */
  pixels: {
    folder: new URL('../inference/pixels/', import.meta.url),
    main: 'index.ts',
    memory: ['--initialMemory', PIXEL_PAGES, '--maximumMemory', PIXEL_PAGES],
  },
  /** Layers of the models, for the student's device. Each network brings a memory of its own size. */
  network: {
    folder: new URL('../client/device/network/', import.meta.url),
    main: 'kernels.ts',
    memory: ['--importMemory'],
  },
} as const satisfies Record<string, KernelSource>;

export type KernelName = keyof typeof KERNELS;

/** Compiles a kernel's .as files to WebAssembly. Throws with the compiler's messages. */
export async function compileKernel(name: KernelName = 'pixels'): Promise<Uint8Array> {
  const { folder, main, memory } = KERNELS[name];
  let compiled: Uint8Array | null = null;
  const { error, stderr } = await asc.main(
    [
      main,
      ...['--outFile', 'kernel.wasm', '--runtime', 'stub', '--use', 'abort='],
      ...['--optimizeLevel', '3', '--shrinkLevel', '0', '--converge', '--noAssert'],
      ...['--enable', 'simd', ...memory],
    ],
    {
      // The compiler wants its own language under TypeScript's extension; TypeScript's tools must not see it there.
      readFile: async (file) => {
        try {
          return await readFile(new URL(file.replace(/\.ts$/, '.as'), folder), 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (file, contents) => {
        if (file === 'kernel.wasm') compiled = contents as Uint8Array;
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
  for (const name of Object.keys(KERNELS) as KernelName[]) {
    const wasm = await compileKernel(name);
    await writeFile(new URL('kernel-bytes.ts', KERNELS[name].folder), kernelFile(wasm));
    process.stdout.write(`${name}: ${wasm.length} bytes of WebAssembly\n`);
  }
}
