/**
 * Compiles `assembly/` into `kernel-wasm.ts`. With `--check` it writes nothing and exits 1 if that file is stale.
 * The same sources always give the same bytes, and the file is replaced in one step, so builds may run side by side.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, 'kernel-wasm.ts');

/** Pages of 64 KiB: at least the static data, at most the whole address space. */
const MEMORY_PAGES_MIN = 8;
const MEMORY_PAGES_MAX = 65536;

/** Compiles the kernel and returns the bytes of the module. */
async function compile() {
  let wasm;
  const { error, stderr } = await asc.main(
    [
      'assembly/index.ts',
      '--outFile=kernel.wasm',
      '--optimizeLevel=3',
      '--shrinkLevel=0',
      '--converge',
      '--noAssert',
      '--runtime=stub',
      '--enable=simd,threads,bulk-memory',
      '--importMemory',
      '--noExportMemory',
      '--sharedMemory',
      // Zero-filled static tables must not become data segments: a later instantiation would wipe them in use.
      '--zeroFilledMemory',
      `--initialMemory=${MEMORY_PAGES_MIN}`,
      `--maximumMemory=${MEMORY_PAGES_MAX}`,
      '--memoryBase=4096',
      '--use=abort=',
    ],
    {
      readFile: (name, base) => {
        try {
          return readFileSync(join(here, base === '.' ? '' : base, name), 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (_name, contents) => {
        wasm = contents;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`the kernel does not compile\n${stderr.toString()}`);
  const messages = stderr.toString();
  if (messages !== '') process.stderr.write(messages);
  return wasm;
}

/** The TypeScript file that carries the module. */
function render(wasm) {
  const lines = Buffer.from(wasm)
    .toString('base64')
    .match(/.{1,110}/g);
  return [
    '/** The compiled kernel. Generated from assembly/ by build-kernel.mjs: do not edit. */',
    '',
    '/** The WebAssembly module, in base64. */',
    'export const KERNEL_WASM: string = [',
    ...lines.map((line) => `  '${line}',`),
    "].join('');",
    '',
  ].join('\n');
}

const text = render(await compile());
if (process.argv.includes('--check')) {
  let current = '';
  try {
    current = readFileSync(target, 'utf8');
  } catch {
    // A missing file is a stale one.
  }
  if (current !== text) {
    process.stderr.write('kernel-wasm.ts is stale: run npm run build:kernel\n');
    process.exit(1);
  }
} else {
  const temporary = `${target}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, target);
}
