// What is used of WebAssembly's JavaScript API: TypeScript has it among the browser's types alone.
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    readonly exports: unknown;
    constructor(module: Module);
  }
  class RuntimeError extends Error {}
  function validate(bytes: Uint8Array): boolean;
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  interface Global {
    readonly value: number;
  }
}
