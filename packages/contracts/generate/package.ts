import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/**
 * What `npm pack` runs before and after: the package as others install it is JavaScript with its types, for Node strips none below
 * `node_modules`, and the domain is inside, for it is in no registry. While it is packed `package.json` is that of the package; the
 * workspace's waits in `dist` and comes back afterwards, or with the next `npm pack` where that was interrupted.
 */
const folder = join(import.meta.dirname, '..');
const at = (...names: string[]): string => join(folder, ...names);
const WAITING = at('dist', 'workspace.json');

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
}
const manifestOf = (file: string): Manifest => JSON.parse(readFileSync(file, 'utf8'));

if (process.argv[2] === 'restore') restore();
else prepare();

function prepare(): void {
  if (existsSync(WAITING)) restore();
  rmSync(at('dist'), { recursive: true, force: true });
  execFileSync('tsc', ['-p', at('tsconfig.package.json')], { stdio: 'inherit' });
  for (const name of readdirSync(at('dist'), { recursive: true, encoding: 'utf8' }))
    if (/\.(js|d\.ts)$/.test(name)) pointInside(at('dist', name));
  copyFileSync(at('../../LICENSE'), at('LICENSE'));
  const packed = JSON.stringify(packedManifest(), null, 2);
  renameSync(at('package.json'), WAITING);
  writeFileSync(at('package.json'), `${packed}\n`);
}

/** The domain by its place in the package; TypeScript leaves `.ts` in declarations, which means the file beside them to it, but to nobody else. */
function pointInside(file: string): void {
  const domain = relative(dirname(file), at('dist/domain/src/index.js'));
  const text = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    text
      .replaceAll(/(from |import\()(['"])@repo\/domain\2/g, `$1'${domain}'`)
      .replaceAll(/((?:from |import\()['"]\.[^'"]*)\.ts(?=['"])/g, '$1.js'),
  );
}

function packedManifest(): object {
  const {
    private: _,
    scripts: _scripts,
    devDependencies: _forTests,
    dependencies,
    ...manifest
  } = manifestOf(at('package.json')) as Manifest & Readonly<Record<string, unknown>>;
  const { '@repo/domain': _inside, ...others } = {
    ...manifestOf(at('../domain/package.json')).dependencies,
    ...dependencies,
  };
  const entry = './dist/contracts/src/index';
  return {
    ...manifest,
    exports: { '.': { types: `${entry}.d.ts`, default: `${entry}.js` }, './schemas/*': './schemas/*' },
    engines: { node: '>=24' },
    dependencies: others,
  };
}

function restore(): void {
  renameSync(WAITING, at('package.json'));
  rmSync(at('LICENSE'), { force: true });
}
