import { inSession } from '@repo/embedded';
import { bindingsOf, type Family } from '../workload.ts';

/**
 * The least a settlement needs: what there is, who pays for whom, what was settled, what it took from where, and how far we read.
 * Amounts are fen. Half-filled pages let a balance change in place, without touching an index (a HOT update).
 */
const SCHEMA = `
  CREATE TABLE account (person_no text PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0)) WITH (fillfactor = 50);
  CREATE TABLE binding (beneficiary text NOT NULL, priority smallint NOT NULL, payer text NOT NULL, PRIMARY KEY (beneficiary, priority));
  CREATE TABLE settlement (claim_id text PRIMARY KEY, encounter_id text NOT NULL, person_no text NOT NULL, provider_code text NOT NULL,
    med_type text NOT NULL, settled_at timestamptz NOT NULL, total_fee bigint NOT NULL, fund_paid bigint NOT NULL,
    personal_share bigint NOT NULL, own bigint NOT NULL, relatives bigint NOT NULL, cash bigint NOT NULL);
  CREATE TABLE entry (claim_id text NOT NULL, account text NOT NULL, amount bigint NOT NULL, balance_after bigint NOT NULL,
    PRIMARY KEY (claim_id, account));
  CREATE TABLE position (partition int PRIMARY KEY, next_offset bigint NOT NULL);
`;

/** Makes the bare pipeline's tables in an empty database and fills in the families and a position for each partition. */
export async function prepareBareDatabase(
  url: string,
  { families, partitions }: { families: Iterable<Family>; partitions: number },
): Promise<void> {
  await inSession(url, async (client) => {
    await client.query(SCHEMA);
    const all = [...families];
    const members = all.flat();
    const bindings = all.flatMap(bindingsOf);
    await client.query('INSERT INTO account SELECT * FROM unnest($1::text[], $2::bigint[])', [
      members.map(({ personNo }) => personNo),
      members.map(({ priorYear, currentYear }) => priorYear + currentYear),
    ]);
    await client.query('INSERT INTO binding SELECT * FROM unnest($1::text[], $2::smallint[], $3::text[])', [
      bindings.map(({ beneficiary }) => beneficiary),
      bindings.map(({ priority }) => priority),
      bindings.map(({ payer }) => payer),
    ]);
    await client.query('INSERT INTO position SELECT n, 0 FROM generate_series(0, $1::int - 1) n', [partitions]);
  });
}
