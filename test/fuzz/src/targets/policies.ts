import { lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { date } from '@repo/domain';
import { createPolicies, type LoadedPolicies, loadPolicies, type ParsedPacks, parsePacks } from '@repo/policy';
import type { Dice } from '../dice.ts';
import { policyFile } from '../policy-files.ts';
import { promise, type Target } from '../target.ts';

const AREAS = ['330106', '999999', '110101', '000000'];
const DAYS = ['0001-01-01', '2024-12-31', '2025-01-01', '2025-02-28', '9999-12-31'].map(date);
/** Of so many inputs one is a folder on the disk, with whatever may stand in a folder. */
const FOLDER_PERCENT = 1;

/** The policy loader: any texts, and any folder, are policies that answer for every area and day, or a list of problems. */
export const target: Target = {
  name: 'policies',
  feed: (dice: Dice) => (dice.chance(FOLDER_PERCENT) ? loadFolder(dice) : parse(dice)),
};

function parse(dice: Dice): void {
  const files = Array.from({ length: dice.pick([1, 1, 1, 2, 3]) }, (_, place) => ({
    name: `${place}.yaml`,
    text: policyFile(dice).toString(),
  }));
  const split = dice.chance(30) ? 1 : files.length;
  const parsed: ParsedPacks = parsePacks(files.slice(0, split), files.slice(split));
  if ('problems' in parsed) lookAt(parsed.problems);
  else answers(createPolicies(parsed.packs).policyAt);
}

async function loadFolder(dice: Dice): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'gongji-fuzz-policies-'));
  try {
    for (const place of dice.list(4, () => dice.int(0, 99))) placeSomething(dice, join(dir, `${place}.yaml`));
    const loaded: LoadedPolicies = await loadPolicies({ dir });
    if ('problems' in loaded) lookAt(loaded.problems);
    else answers(loaded.policies.policyAt);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A file, or what is found where a file should be, once for each name. */
function placeSomething(dice: Dice, path: string): void {
  const put = dice.pick<(path: string) => void>([
    (at) => writeFileSync(at, policyFile(dice)),
    (at) => writeFileSync(at, policyFile(dice)),
    (at) => writeFileSync(at, dice.bytes(200)),
    (at) => mkdirSync(at),
    (at) => symlinkSync(at, at),
    (at) => symlinkSync(dice.pick(['/dev/zero', '/dev/null', '/nowhere', '/', '/proc/self/mem', '/proc/kmsg']), at),
    (at) => {
      writeFileSync(at, '');
      truncateSync(at, 8 * 2 ** 30);
    },
  ]);
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) put(path);
}

function lookAt(problems: readonly string[]): void {
  promise(problems.length > 0, 'there is neither a policy nor a problem');
  for (const problem of problems) {
    promise(/expected /.test(problem), `a problem says not what was expected: ${problem}`);
    promise(problem.length < 1_000, 'a problem is as long as the file');
  }
}

function answers(policyAt: ReturnType<typeof createPolicies>['policyAt']): void {
  for (const area of AREAS) {
    for (const day of DAYS) {
      const { version, minRemaining, allowedRelations } = policyAt(area, day);
      const isWhole = version !== '' && typeof minRemaining === 'bigint' && allowedRelations instanceof Set;
      promise(isWhole, 'a policy is not whole');
    }
  }
}
