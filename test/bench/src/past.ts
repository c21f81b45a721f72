import { inSession } from '@repo/embedded';

const CHUNK = 50_000;
/** Far from those that a database gives. */
const SHARD = 1_000;
/** Of the claims that will be written. */
const DAY = `date '2025-03-10'`;
/** Of ten settlements so many have a second entry. */
const SECOND_ENTRIES = 6;

/**
 * Enters settlements of an earlier time, as rows alone: their ids, outcomes and entries lie between those that will be written, in the same
 * partitions and indexes. They belong to nobody who has an account and to a shard of their own. Outcomes are a tenth of a real one's
 * length, as their heap is only ever appended to; keys are as long as real ones. No entry counts against a binding's limit.
 */
export async function enterPast(
  url: string,
  { settlements, progress }: { settlements: number; progress: (line: string) => void },
): Promise<void> {
  await inSession(url, async (client) => {
    await client.query(
      `create temp table past_person as select psn_no, row_number() over (order by psn_no) as n from account`,
    );
    const { rows } = await client.query<{ persons: string }>('select count(*) as persons from past_person');
    const persons = Number(rows[0]?.persons);
    for (let from = 0; from < settlements; from += CHUNK) {
      const to = Math.min(settlements, from + CHUNK);
      const ids = `(select g, md5(g::text) as id, past_person.psn_no || '.' || g / ${persons} as psn_no
        from generate_series(${from}, ${to - 1}) as g join past_person on n = 1 + g % ${persons}) as past`;
      await client.query(`insert into event_id (event_id, content_hash, shard_id, seq, month, log_offset)
        select 'claim:' || id, sha256(id::bytea), ${SHARD}, g + 1, date_trunc('month', now())::date, g from ${ids}`);
      await client.query(`insert into outcome (shard_id, seq, month, dest, dest_seq, key, stamp, payload)
        select ${SHARD}, g + 1, date_trunc('month', now())::date, 'R', g + 1, psn_no::bytea, '', repeat('x', 100)::bytea from ${ids}`);
      await client.query(`insert into entry (psn_no, version, kind, counterpart, reference, binding_id, prior_year, current_year, held,
          prior_year_after, current_year_after, on_day, book_day, counted_on)
        select psn_no, version, 'CLAIM', 'institution:H1', id, null, 0, -1, 0, 0, 0, ${DAY}, ${DAY}, null
        from ${ids} cross join generate_series(1, case when g % 10 < ${SECOND_ENTRIES} then 2 else 1 end) as version`);
      progress(`${to} of ${settlements} earlier settlements entered`);
    }
  });
}
