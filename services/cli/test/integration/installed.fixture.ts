import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../../..');
const MODULES = join(ROOT, 'node_modules');

/** What the package asks a registry for, and what its user brings: without a network npm takes both from where we have them. */
const FROM_HERE = ['zod', 'decimal.js', 'kafkajs', '@types/node', 'undici-types'];
const COMPILER_OPTIONS = { module: 'nodenext', target: 'es2024', strict: true, types: ['node'], outDir: 'out' };

/** A project outside this workspace that has installed what `npm pack -w @repo/contracts` gives. */
export interface Project extends Disposable {
  readonly folder: string;
  /** Compiles a file of the installed package as the project's own, its libraries' types included, and answers where the result is. */
  readonly compiled: (fileOfPackage: string) => string;
}

export function projectWithContracts(): Project {
  const outside = mkdtempSync(join(tmpdir(), 'gongji-installed-test-'));
  const folder = join(outside, 'project');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  const packed = pack(join(outside, 'workspace'), outside);
  const found = FROM_HERE.map((name) => join(MODULES, name));
  run('npm', ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', packed, ...found], folder);
  return {
    folder,
    compiled(fileOfPackage) {
      const name = join(folder, 'consumer.ts');
      cpSync(join(folder, 'node_modules/@repo/contracts', fileOfPackage), name);
      writeFileSync(
        join(folder, 'tsconfig.json'),
        JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: [name] }),
      );
      run(join(MODULES, '.bin/tsc'), [], folder);
      return join(folder, 'out/consumer.js');
    },
    [Symbol.dispose]: () => rmSync(outside, { recursive: true, force: true }),
  };
}

/** Packs a copy, since the manifest is another while a package is packed and other tests read ours. */
function pack(copy: string, into: string): string {
  for (const name of ['packages/contracts', 'packages/domain', 'tsconfig.base.json', 'LICENSE'])
    cpSync(join(ROOT, name), join(copy, name), {
      recursive: true,
      filter: (path) => !/\/(node_modules|dist|test)$/.test(path),
    });
  for (const name of FROM_HERE) {
    const link = join(copy, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(MODULES, name), link);
  }
  return join(
    into,
    run('npm', ['pack', '--silent', '--pack-destination', into], join(copy, 'packages/contracts')).trim(),
  );
}

function run(command: string, args: readonly string[], cwd: string): string {
  // What an npm that runs these tests was told is not for this one.
  const own = Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_'));
  const env = { ...Object.fromEntries(own), PATH: `${join(MODULES, '.bin')}:${process.env.PATH}` };
  try {
    return execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string };
    throw new Error(`${command} ${args[0] ?? ''} failed:\n${stdout}${stderr}`, { cause: error });
  }
}
