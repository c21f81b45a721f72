import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPolicies } from '@repo/policy';
import { expect, test } from 'vitest';
import { Auditor } from '../../src/auditor/auditor.ts';
import { SHIPPED_PACKS } from '../../src/auditor/shipped-packs.ts';
import { FAMILY_PACKS } from '../../src/families/packs.ts';
import { Random } from '../../src/families/random.ts';
import { toWireEvent } from '../../src/system/story.ts';
import { writePacks } from '../../src/system/system.ts';
import type { RawRecord } from '../../src/system/topics.ts';
import { type Batch, findSerialOrder } from '../../src/workers/serial-order.ts';
import { Site } from '../../src/workers/site.ts';
import { FLOOR, FLOORED, membersShardOf, SHARDS, Storm } from './race-storm.cases.ts';

const SEEDS = [1, 2, 3, 4, 5, 6];
/** For each shard. */
const BATCHES = 40;

const dir = mkdtempSync(join(tmpdir(), 'gongji-storm-'));
const loaded = await loadPolicies({ dir: writePacks(join(dir, 'policies'), FAMILY_PACKS) });
rmSync(dir, { recursive: true });
if ('problems' in loaded) throw new Error(loaded.problems.join());
const { policies } = loaded;

type Ran = Omit<Batch, 'entries'>;

/** Every shard takes its own batches one after the other, all shards at the same time; members shards also do what postings leave. */
async function run(site: Site, storm: Storm, seed: number): Promise<Ran[]> {
  const random = new Random(seed);
  const ran: Ran[] = [];
  let clock = 0;
  const tick = () => {
    clock += 1;
    return clock;
  };
  const worker = async (name: (typeof SHARDS)[number]) => {
    const shard = site.shard(name);
    for (const records of storm.batches.get(name) ?? []) {
      if (name.startsWith('members') && random.chance(0.5)) await shard.idle();
      const [began, publishedBefore] = [tick(), shard.published.length];
      await shard.take(records);
      ran.push({ shard: name, records, began, ended: tick(), publishedBefore, publishedAfter: shard.published.length });
    }
  };
  await Promise.all(SHARDS.map(worker));
  await site.settleDown();
  return ran;
}

/** The entries that each batch made: an entry names the claim, refund, premium or credit it belongs to. */
async function withEntries(site: Site, ran: readonly Ran[]): Promise<Batch[]> {
  const rows = await site.query<{ psn_no: string; version: string; reference: string }>(
    'select psn_no, version, reference from entry order by psn_no, version',
  );
  const byReference = Map.groupBy(rows, ({ reference }) => reference);
  const OWN_ID = ['refund_id', 'claim_id', 'premium_id', 'credit_id'];
  const referenceOf = ({ value }: RawRecord) => {
    const fields = JSON.parse(String(value)) as Record<string, string>;
    return fields[OWN_ID.find((name) => name in fields) ?? ''];
  };
  return ran.map((batch) => {
    const own = batch.records.flatMap((record) => byReference.get(referenceOf(record) ?? '') ?? []);
    return { ...batch, entries: own.map(({ psn_no, version }) => ({ psn_no, version: Number(version) })) };
  });
}

/** Rows that would break a law of the books, whatever the order was. */
const BROKEN: Readonly<Record<string, string>> = {
  'an account is the sum of its entries': `select account.psn_no from account left join entry using (psn_no) group by account.psn_no
     having account.prior_year <> coalesce(sum(entry.prior_year), 0) or account.current_year <> coalesce(sum(entry.current_year), 0)
       or account.version <> count(entry) or account.version <> coalesce(max(entry.version), 0)`,
  'what must stay in an account stays': `select psn_no from entry where kind in ('CLAIM', 'PREMIUM') and binding_id is not null
     and prior_year_after + current_year_after < ${FLOOR} and psn_no in ('${FLOORED.join("','")}')`,
};

test.each(SEEDS)(
  'storm %i: everything at once has a serial order that an independent computation agrees with',
  async (seed) => {
    const storm = new Storm(seed, BATCHES);
    await using site = await Site.open({ policyOf: policies.policyAt, shards: SHARDS });
    for (const shard of SHARDS.filter((name) => name.startsWith('members'))) {
      await site.shard(shard).take(storm.family.filter(({ key }) => membersShardOf(String(key)) === shard));
    }
    const batches = await withEntries(site, await run(site, storm, seed));
    // Most of them met others: the order they came in is not the order they were sent in.
    const met = batches.filter((batch) =>
      batches.some((other) => other.shard !== batch.shard && other.began < batch.ended && batch.began < other.ended),
    );
    expect(met.length).toBeGreaterThan(batches.length / 2);

    for (const [law, sql] of Object.entries(BROKEN)) expect(await site.query(sql), law).toEqual([]);
    const used = await site.query<{ binding_id: string; amount: string }>(
      `select binding_id, sum(-prior_year - current_year - held) as amount from entry where counted_on is not null
       group by binding_id, counted_on`,
    );
    const over = used.filter(({ binding_id, amount }) => Number(amount) > (storm.limits.get(binding_id) ?? Infinity));
    expect(over, 'no daily limit is exceeded').toEqual([]);

    const published = new Map([...site.shards.values()].map((shard) => [shard.name, shard.published]));
    const auditor = () => {
      const fresh = new Auditor([...SHIPPED_PACKS, ...FAMILY_PACKS]);
      for (const record of storm.family) fresh.apply(toWireEvent(record));
      return fresh;
    };
    const found = findSerialOrder({ batches, published, shardOf: membersShardOf, auditor });
    expect(found.order).toHaveLength(SHARDS.length * BATCHES);
    expect(await balances(site)).toEqual(
      found.auditor.persons().map((psn_no) => `${psn_no} ${found.auditor.account(psn_no, '2025-03-20')?.balance}`),
    );
  },
);

async function balances(site: Site): Promise<string[]> {
  const rows = await site.query<{ psn_no: string; balance: string }>(
    'select psn_no, (prior_year + current_year)::text as balance from account order by psn_no',
  );
  return rows.map(({ psn_no, balance }) => `${psn_no} ${balance}`);
}
