import { inSession } from '@repo/embedded';
import { partitionForKey } from '@repo/messaging';
import type { Client } from 'pg';
import { loadProduct } from './product.ts';
import { type Family, type MemberMessage, OPENED_AT, REGION, RELATIONS, randomFrom, yuan } from './workload.ts';

/** Persons who enter by the product's own rules; the rest of a town are copies of their rows under other numbers. */
export const TOWN_UNIT = 10_000;
const HOUSEHOLD = 4;
/** One payer of fifty has not paid the month: 2 %. */
const MISSED_OF = 50;

/** The months of the checks, each with the remainder of those who did not pay it: different persons each month. */
export const CHECKS = [
  { period: '2025-02', on: '2025-03-01', paidAt: '2025-02-20T09:00:00+08:00', missedBy: 7 },
  { period: '2025-03', on: '2025-04-01', paidAt: '2025-03-20T09:00:00+08:00', missedBy: 23 },
] as const;

export type TownCheck = (typeof CHECKS)[number];

const personNoOf = (person: number): string => `${REGION}${String(person).padStart(10, '0')}`;
const bindingIdOf = (payer: number, nth: number): string => `B${personNoOf(payer)}-${nth}`;
/** One to three, and of a copy as of the original. */
const bindingsOf = (payer: number): number => 1 + ((payer % TOWN_UNIT) % 3);

const hasMissed = (person: number, { missedBy }: TownCheck): boolean => person % MISSED_OF === missedBy;

/** The bindings that a check is to pause: all of everybody who missed its month. */
export function bindingsToPause(payers: number, check: TownCheck): Set<string> {
  const bindings = new Set<string>();
  for (let person = 0; person < payers; person += 1) {
    if (!hasMissed(person, check)) continue;
    for (let nth = 1; nth <= bindingsOf(person); nth += 1) bindings.add(bindingIdOf(person, nth));
  }
  return bindings;
}

/** The first of each household, for claims: as in the other measurements, no two shards' claims meet at one payer. */
export const patientsOf = (payers: number): Family[] =>
  Array.from({ length: payers / HOUSEHOLD }, (_, household) => [
    { personNo: personNoOf(household * HOUSEHOLD), priorYear: 0, currentYear: 0 },
  ]);

/**
 * How the first persons of a town enter: households of four employees, each of whom pays for the next one, two or three of the others;
 * and who paid which month.
 */
export function* unitEvents(seed: number): Generator<MemberMessage> {
  const random = randomFrom(seed);
  for (let person = 0; person < TOWN_UNIT; person += 1) {
    const key = personNoOf(person);
    // One of five soon runs dry, so that their relatives pay and there is other work than the check's.
    const portionMax = person % 5 === 0 ? 7_000 : 60_000;
    const account = {
      psn_no: key,
      insutype: '310',
      psn_type: '1101',
      employment: 'ACTIVE',
      insu_admdvs: REGION,
      insured: true,
      prior_year: yuan(random(portionMax)),
      current_year: yuan(random(portionMax)),
      as_of: OPENED_AT,
    };
    yield { type: 'account.opened', key, event: account };
    const household = person - (person % HOUSEHOLD);
    for (let nth = 1; nth <= bindingsOf(person); nth += 1) {
      const binding = {
        binding_id: bindingIdOf(person, nth),
        payer: key,
        beneficiary: personNoOf(household + ((person + nth) % HOUSEHOLD)),
        relation: RELATIONS[nth] ?? 'SPOUSE',
        priority: nth,
        bound_at: OPENED_AT,
      };
      yield { type: 'binding.opened', key, event: binding };
    }
    for (const check of CHECKS) {
      if (hasMissed(person, check)) continue;
      const { period, paidAt } = check;
      const paid = { contribution_id: `K${key}-${period}`, psn_no: key, period, at: paidAt };
      yield { type: 'contribution.received', key, event: paid };
    }
  }
}

/** A database with a town of `payers` in it, a multiple of the unit: the product's own rows, copied set by set. */
export async function prepareTown(
  url: string,
  town: { payers: number; partitions: number; seed: number; progress: (line: string) => void },
): Promise<void> {
  const { payers, partitions, seed, progress } = town;
  await loadProduct(url, unitEvents(seed), partitions);
  await inSession(url, async (client) => {
    const copies = [];
    for (const table of ['account', 'binding', 'contribution', 'entry'])
      copies.push(await copyStatement(client, table));
    for (let start = TOWN_UNIT; start < payers; start += TOWN_UNIT) {
      progress(`arrears: ${start} of ${payers} payers loaded`);
      const shards = Array.from({ length: TOWN_UNIT }, (_, n) => partitionForKey(personNoOf(start + n), partitions));
      for (const { sql, needsShards } of copies) await client.query(sql, needsShards ? [start, shards] : [start]);
    }
    await client.query('VACUUM (ANALYZE)');
    await client.query('CHECKPOINT');
  });
}

const numberIn = (column: string) => `substr(${column}, ${REGION.length + 1}, 10)::int`;
const renumbered = (column: string) => `'${REGION}' || lpad((${numberIn(column)} + $1::int)::text, 10, '0')`;

/** What of a row names a person; `$1` is added to the number, `$2` lists the members partition of each new person. */
const RENAMED: Readonly<Record<string, string>> = {
  psn_no: renumbered('psn_no'),
  payer: renumbered('payer'),
  beneficiary: renumbered('beneficiary'),
  binding_id: `'B' || ${renumbered('substr(binding_id, 2)')} || substr(binding_id, 18)`,
  reference: renumbered('reference'), // of an opening entry, the only kind there is
  partition: `($2::int[])[${numberIn('psn_no')} + 1]`,
};

/** The statement that copies the rows of the first persons of a table. Events' identities are not copied: nothing asks for them. */
async function copyStatement(client: Client, table: string): Promise<{ sql: string; needsShards: boolean }> {
  const { rows } = await client.query<{ column_name: string }>(
    `select column_name from information_schema.columns where table_schema = 'public' and table_name = $1 and is_generated = 'NEVER' order by ordinal_position`,
    [table],
  );
  const columns = rows.map(({ column_name }) => column_name);
  const person = columns.includes('psn_no') ? 'psn_no' : 'payer';
  const values = columns.map((column) => RENAMED[column] ?? column);
  const sql = `insert into ${table} (${columns}) select ${values} from ${table} where ${person} < '${personNoOf(TOWN_UNIT)}'
    order by ${person}`;
  return { sql, needsShards: columns.includes('partition') };
}
