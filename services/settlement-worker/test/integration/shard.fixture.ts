import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DECODE_LIMITS, decodeMembers } from '@repo/contracts';
import { Ledger, loadMembers, migrate, schemaKey } from '@repo/ledger';
import type { InputProgress, InputRecord, Lease } from '@repo/messaging';
import { shippedPolicies } from '@repo/policy';
import { Envelopes, makeKeyFile, newKey } from '@repo/sealing';
import { contentHash } from '@repo/shard-worker';
import { cloneDatabase } from '@repo/testkit';
import { onTestFinished } from 'vitest';
import type { SettleDeps } from '../../src/settle.ts';

/** A file of keys for a worker that is a process of its own, as long as the test runs. */
export async function keyFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gongji-keys-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'envelope.keys');
  makeKeyFile(path);
  return path;
}

/** When messages come, and events that say no other moment. */
export const timestampMs = Date.parse('2025-03-10T10:00:05+08:00');
export const SHARD = { topic: 'claims', partition: 0 };

/** A log that has been applied to its end. */
export const ALL_APPLIED: InputProgress = { end: async () => 0n, isApplied: () => true };

/** A ledger of its own, and all that settling needs besides: the shipped rules, the usual limits. */
export async function openSettling(refundWaitMs: number): Promise<{ readonly url: string; readonly deps: SettleDeps }> {
  const { url } = await cloneDatabase({ key: schemaKey(), migrate });
  const ledger = await Ledger.open({ url, role: 'gongji_worker', name: 'test' });
  const policies = await shippedPolicies();
  const deps: SettleDeps = {
    ledger,
    policyOf: (area, on) => policies.policyAt(area, on),
    limits: DECODE_LIMITS,
    refundWaitMs,
    targets: {
      results: 'results',
      deadLetters: 'dead',
      deadLetterBase: 0,
      source: '/test',
      envelopes: Envelopes.of(newKey()),
    },
  };
  return { url, deps };
}

/** Takes the shard, as a worker that begins does. */
export async function acquire(ledger: Ledger, partition = SHARD.partition): Promise<Lease> {
  const shard = { ...SHARD, partition };
  const { epoch, nextOffset, outSeq, publishedSeq } = await ledger.acquireShard(shard, 'test', 1);
  return { shard, epoch, nextOffset, outSeq, publishedSeq };
}

/** Brings people and bindings into the ledger, each by the event that would; `ce_type` says which. */
export async function load(
  { ledger, policyOf }: SettleDeps,
  ...events: readonly Readonly<Record<string, unknown>>[]
): Promise<void> {
  const loadable = events.map((event) => {
    const raw = { key: Buffer.from(String(event.payer ?? event.psn_no)), value: Buffer.from(JSON.stringify(event)) };
    const decoded = decodeMembers({ ...raw, headers: [], timestampMs }, DECODE_LIMITS);
    if (decoded.kind !== 'MEMBER') throw new Error('the event decodes');
    return { event: decoded.event, identity: decoded.identity, contentHash: contentHash(decoded.content) };
  });
  await loadMembers(ledger, loadable as never, { policyOf, partitionOf: () => 0 });
}

/** An employee with this money of earlier years, and of this one. */
export const account = (psn_no: string, prior_year: string, current_year = '0.00') => ({
  ...{ ce_type: 'account.opened', psn_no, insutype: '310', psn_type: '1101', employment: 'ACTIVE' },
  ...{ insu_admdvs: '210102', insured: true },
  ...{ prior_year, current_year, as_of: '2025-01-01T00:00:00+08:00' },
});

/** A message of the claims topic, at no offset yet. */
export function message(type: string, key: string, value: object | string): InputRecord {
  const headers = [['ce_type', Buffer.from(type)]] as const;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return { offset: 0n, key: Buffer.from(key), value: Buffer.from(text), headers, timestampMs };
}
export const claim = (claimId: string, person: string, amount: string): InputRecord =>
  message('claim.submitted', person, {
    ...{ claim_id: claimId, mdtrt_id: 'M1', psn_no: person, fixmedins_code: 'H1', designated: true, med_type: '11' },
    ...{ fix_blng_admdvs: '210102', setl_time: '2025-03-10T10:00:00+08:00' },
    ...{ medfee_sumamt: amount, fund_pay_sumamt: '0.00', psn_part_amt: amount },
  });
/** Of all that is left of the claim, where no amount is given. */
export const refund = (refundId: string, claimId: string, person: string, amount?: string): InputRecord =>
  message('claim.refunded', person, {
    ...{ refund_id: refundId, claim_id: claimId, psn_no: person, at: '2025-03-10T11:00:00+08:00', amount },
  });
