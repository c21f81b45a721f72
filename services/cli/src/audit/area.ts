import type { Snapshot } from '@repo/ledger';
import type { Subject, Tally } from './tally.ts';

/**
 * A set of rows and what must hold for each. `sql` selects a column `ref`, which says where to look without naming a person, and one
 * boolean column per check; null counts as broken. For an area that is read in pages, `$1` and `$2` bound the person numbers.
 */
export interface Area {
  readonly subject: Subject;
  readonly checks: Readonly<Record<string, string>>;
  readonly sql: string;
}

/** Condition for the rows of a page: person numbers above `$1`, up to `$2` or to the end. */
export const inPage = (column: string): string =>
  `${column} > $1::text and ($2::text is null or ${column} <= $2::text)`;

const EXAMPLES_MAX = 10;

/** Counts an area's rows and those that break each check. Runs inside the database, so only counts and examples leave it. */
export async function runArea(
  snapshot: Snapshot,
  tally: Tally,
  { checks, sql }: Area,
  page: readonly (string | null)[] = [],
): Promise<number> {
  const names = Object.keys(checks);
  const columns = names.map((name, i) => {
    const broken = `filter (where "${name}" is not true)`;
    return `count(*) ${broken} as wrong_${i}, (array_agg(ref) ${broken})[1:${EXAMPLES_MAX}] as examples_${i}`;
  });
  const [row = {}] = await snapshot.rows<Record<string, string & string[]>>(
    `select count(*) as checked, ${columns.join(', ')} from (${sql}) item`,
    page,
  );
  const checked = Number(row.checked);
  names.forEach((name, i) => {
    tally.checked(name, checked);
    tally.wrong(name, row[`examples_${i}`] ?? [], Number(row[`wrong_${i}`]));
  });
  return checked;
}

const PAGE_PERSONS = 5_000;

/**
 * Divides all possible person numbers into ranges of about 5,000 accounts without gaps, so that rows of persons without an account lie in a
 * range too.
 */
export async function* pagesOfPersons(
  snapshot: Snapshot,
): AsyncGenerator<readonly [after: string, upTo: string | null]> {
  let after = '';
  for (;;) {
    const [row] = await snapshot.rows<{ psn_no: string }>(
      `select psn_no from account where psn_no > $1 order by psn_no offset ${PAGE_PERSONS - 1} limit 1`,
      [after],
    );
    yield [after, row?.psn_no ?? null];
    if (row === undefined) return;
    after = row.psn_no;
  }
}
