import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DECODE_LIMITS,
  decodeClaims,
  decodeMembers,
  encodeChanges,
  encodePremium,
  encodeRefund,
  encodeSettlement,
  type Outgoing,
  topicsOf,
} from '@repo/contracts';
import {
  afterRefund,
  applyPremium,
  applyRefund,
  applySettlement,
  type Binding,
  dateOf,
  decideClaim,
  decidePremium,
  decideRefund,
  type Paid,
  type PolicyLookup,
  paidByClaim,
  paidByPremium,
} from '@repo/domain';
import {
  booksOf,
  contentColumns,
  Ledger,
  type LoadableEvent,
  loadMembers,
  migrate,
  Snapshot,
  schemaKey,
  writeBatch,
} from '@repo/ledger';
import type { InputRecord } from '@repo/messaging';
import { createLogger } from '@repo/observability';
import { loadPolicies, type Policies } from '@repo/policy';
import { Envelopes, newKey } from '@repo/sealing';
import { contentHash, deadRow, sealRow } from '@repo/shard-worker';
import { cloneDatabase } from '@repo/testkit';
import type { FastifyInstance } from 'fastify';
import type { ReadInput } from '../../src/inputs.ts';
import { type ApiDeps, buildServer } from '../../src/server.ts';

type Wire = Readonly<Record<string, unknown>>;

/** The moment at which these tests read unless they say otherwise. */
const NOW = Date.parse('2025-03-10T12:00:00+08:00');
const shardOf = (prefix = 'scene') => ({ topic: topicsOf(prefix).claims, partition: 0 });
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

export const claim = (over: Wire = {}): Wire => ({
  claim_id: 'C1',
  mdtrt_id: 'M1',
  psn_no: 'P1',
  fixmedins_code: 'H33010600001',
  designated: true,
  fix_blng_admdvs: '420106',
  med_type: '11',
  setl_time: '2025-03-10T10:00:00+08:00',
  medfee_sumamt: '350.00',
  fund_pay_sumamt: '200.00',
  psn_part_amt: '150.00',
  ...over,
});

export const account = (psn_no: string, over: Wire = {}): Wire => ({
  ce_type: 'account.opened',
  psn_no,
  insutype: '310',
  psn_type: '1101',
  employment: 'ACTIVE',
  insu_admdvs: '420100',
  insured: true,
  prior_year: '0.00',
  current_year: '0.00',
  as_of: '2025-01-31T00:00:00+08:00',
  ...over,
});

export const binding = (binding_id: string, payer: string, over: Wire = {}): Wire => ({
  ce_type: 'binding.opened',
  binding_id,
  payer,
  beneficiary: 'P1',
  relation: 'SPOUSE',
  bound_at: '2025-01-05T09:00:00+08:00',
  ...over,
});

/** The shipped policies, and these packs as an operator's folder would add them. */
export async function policiesWith(...packs: readonly Wire[]): Promise<Policies> {
  const dir = await mkdtemp(join(tmpdir(), 'query-api-policies-'));
  try {
    await Promise.all(packs.map((pack, i) => writeFile(join(dir, `${i}.json`), JSON.stringify(pack))));
    const loaded = await loadPolicies({ dir });
    if ('problems' in loaded) throw new Error(loaded.problems.join());
    return loaded.policies;
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** A database of its own with the rows that the workers' decisions leave, and the API reading it as the reader role. */
export class Scene implements AsyncDisposable {
  readonly url: string;
  readonly policies: Policies;
  readonly api: FastifyInstance;
  /** What seals as the workers do, and opens for the API. */
  readonly envelopes = Envelopes.of(newKey());
  readonly #writer: Ledger;
  readonly #reader: Ledger;
  readonly #operator: Ledger;
  readonly #paid = new Map<string, Paid>();
  readonly #shard: ReturnType<typeof shardOf>;
  /** The settled messages as they came, by the offset at which their shard read them. */
  readonly came = new Map<bigint, InputRecord>();

  private constructor(
    url: string,
    policies: Policies,
    [writer, reader, operator]: readonly [Ledger, Ledger, Ledger],
    over: Partial<ApiDeps>,
  ) {
    this.url = url;
    this.policies = policies;
    this.#shard = shardOf(over.prefix);
    this.#writer = writer;
    this.#reader = reader;
    this.#operator = operator;
    this.api = this.serve({ policies, ...over });
  }

  /** Another server on the same database, not listening. */
  serve(over: Partial<ApiDeps> = {}): FastifyInstance {
    const log = createLogger({ service: 'query-api', level: 'silent' });
    const { policies } = this;
    return buildServer({
      ledger: this.#reader,
      operator: this.#operator,
      openSnapshot: () => Snapshot.open(this.url),
      policies,
      log,
      now: () => NOW,
      futureDaysMax: 400,
      prefix: 'scene',
      envelopes: this.envelopes,
      ...over,
    });
  }

  static async open(over: Partial<ApiDeps> = {}): Promise<Scene> {
    const { url } = await cloneDatabase({ key: schemaKey(), migrate });
    const policies = over.policies ?? (await policiesWith());
    const ledgers = await Promise.all([
      Ledger.open({ url, role: 'gongji_worker', name: 'scene' }),
      Ledger.open({ url, role: 'gongji_reader', name: 'scene-api' }),
      Ledger.open({ url, role: 'gongji_operator', name: 'scene-operator' }),
    ]);
    await ledgers[0].acquireShard(shardOf(over.prefix), 'scene', 1);
    return new Scene(url, policies, ledgers, over);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api.close();
    await this.#writer.close();
    await this.#reader.close();
    await this.#operator.close();
  }

  /** Leaves a message of the claims topic among the dead letters, as its worker does. */
  async setAside(value: string, why: { code: string; detail: string }, at = NOW): Promise<void> {
    await this.#writer.transact(async (tx) => {
      const state = await this.#writer.readShard(this.#shard);
      const lease = { shard: this.#shard, ...state, publishedSeq: 0n };
      const shard = await tx.lockShard(lease);
      const record = {
        ...{ offset: lease.nextOffset, key: Buffer.from('P1'), value: Buffer.from(value), timestampMs: at },
        headers: [['ce_type', Buffer.from('claim.submitted')] as const],
      };
      await writeBatch(tx, lease, shard, lease.nextOffset + 1n, {
        books: booksOf(this.policies.policyAt, { persons: [], bindings: [], usage: [] }),
        ...{ outcomes: [sealRow(deadRow(this.#shard, record, why), this.envelopes)], ids: [], facts: false },
      });
    });
  }

  /** Holds a message of the claims topic, as its worker does that failed on it. */
  async hold(offset: number, value: string, failure: string | null): Promise<void> {
    const content = { headers: [], value: Buffer.from(value) };
    const sealed = this.envelopes.seal({ ...this.#shard, offset: BigInt(offset) }, content);
    const { headers, value: bytes } = contentColumns(offset < 0 ? content : sealed);
    await this.#writer.rows(
      `insert into quarantined_message (partition, topic, log_offset, key, value, headers, record_ms, failure)
       values ($1, $2, $3, 'P1', $4, $5, $6, $7)`,
      [this.#shard.partition, this.#shard.topic, offset, bytes, headers, NOW, failure],
    );
    await this.#writer.rows('update shard set quarantined = true where topic = $1', [this.#shard.topic]);
  }

  /** Reads them as from their topic. */
  readonly readInput: ReadInput = async ({ offset }) => this.came.get(offset) ?? null;

  /** What only the owner of the tables may do. */
  async asOwner(sql: string): Promise<void> {
    const owner = await Ledger.open({ url: this.url, name: 'scene-owner' });
    await owner.rows(sql).finally(() => owner.close());
  }

  rows<Row>(sql: string): Promise<Row[]> {
    return this.#writer.rows<Row>(sql);
  }

  async members(...events: readonly Wire[]): Promise<void> {
    const loadable = events.map((event): LoadableEvent => {
      const key = bytes(event.payer ?? event.psn_no).slice(1, -1);
      const raw = { key, value: bytes(event), headers: [], timestampMs: NOW };
      const decoded = decodeMembers(raw, DECODE_LIMITS);
      if (decoded.kind !== 'MEMBER') throw new Error(JSON.stringify(decoded));
      return {
        event: decoded.event,
        identity: decoded.identity,
        contentHash: contentHash(decoded.content),
      } as LoadableEvent;
    });
    await loadMembers(this.#writer, loadable, { policyOf: this.policies.policyAt, partitionOf: () => 0 });
  }

  /** Settles one message of the claims topic as its worker does, and answers the published payload. */
  async settle(ce_type: string, fields: Wire, dress = (outgoing: Outgoing) => outgoing): Promise<Wire> {
    const value = bytes({ ce_type, ...fields });
    const key = bytes(fields.beneficiary ?? fields.psn_no).slice(1, -1);
    const raw = { key: Buffer.from(key), value: Buffer.from(value), headers: [], timestampMs: NOW };
    const decoded = decodeClaims(raw, DECODE_LIMITS);
    if (decoded.kind === 'BAD') throw new Error(JSON.stringify(decoded));
    const policyOf = this.policies.policyAt;
    return this.#writer.transact(async (tx) => {
      const state = await this.#writer.readShard(this.#shard);
      const lease = { shard: this.#shard, ...state, publishedSeq: 0n };
      const shard = await tx.lockShard(lease);
      const everyone = await tx.rows<{ psn_no: string }>('select psn_no from account', []);
      const persons = await tx.lockPersons(everyone.map(({ psn_no }) => psn_no));
      const bindings = await tx.bindingsOf({ payers: persons.map(({ personNo }) => personNo) });
      const on = decoded.kind === 'CLAIM' ? [dateOf(decoded.claim.settledAt)] : [];
      const days = bindings.flatMap(({ bindingId, payer }) => on.map((day) => ({ bindingId, payer, on: day })));
      const books = booksOf(policyOf, { persons, bindings, usage: await tx.usageOf(days) });
      const { outgoing: bare, refundOf } = this.#decide(decoded, books, policyOf);
      const outgoing = dress(bare);
      const outcome = {
        dest: 'R' as const,
        key: Buffer.from(key),
        stamp: JSON.stringify(outgoing.stamp),
        payload: Buffer.from(JSON.stringify(outgoing.payload)),
      };
      await writeBatch(tx, lease, shard, lease.nextOffset + 1n, {
        books,
        outcomes: [outcome],
        ids: [
          { id: decoded.identity, contentHash: contentHash(decoded.content), outcome: 0, offset: lease.nextOffset },
        ],
        refunds: refundOf === null ? [] : [{ claimId: refundOf, outcome: 0 }],
        facts: false,
      });
      this.came.set(lease.nextOffset, { ...raw, offset: lease.nextOffset });
      return outgoing.payload as Wire;
    });
  }

  /** Changes settings of a binding as the sharing worker does, and notes what they were. */
  async change(bindingId: string, payer: string, settings: Partial<Binding>): Promise<void> {
    await this.#writer.transact(async (tx) => {
      const state = await this.#writer.readShard(this.#shard);
      const lease = { shard: this.#shard, ...state, publishedSeq: 0n };
      const shard = await tx.lockShard(lease);
      const persons = await tx.lockPersons([payer]);
      const bindings = await tx.bindingsOf({ payers: [payer] });
      const books = booksOf(this.policies.policyAt, { persons, bindings, usage: [] });
      const before = books.binding(bindingId);
      if (before === undefined) throw new Error(`no binding ${bindingId}`);
      const after = { ...before, ...settings };
      books.putBinding(after);
      const changeId = `${bindingId}@${lease.nextOffset}`;
      const changes = [{ payer, bindingId, changeId, at: NOW, changes: encodeChanges(before, after, NOW) }];
      await writeBatch(tx, lease, shard, lease.nextOffset + 1n, { books, changes, outcomes: [], ids: [], facts: true });
    });
  }

  #decide(
    decoded: Exclude<ReturnType<typeof decodeClaims>, { kind: 'BAD' }>,
    books: ReturnType<typeof booksOf>,
    policyOf: PolicyLookup,
  ): { outgoing: Outgoing; refundOf: string | null } {
    if (decoded.kind === 'CLAIM') {
      const settlement = decideClaim(decoded.claim, books, policyOf);
      applySettlement(decoded.claim, settlement, books);
      if (settlement.status === 'SETTLED')
        this.#paid.set(decoded.claim.claimId, paidByClaim(decoded.claim, settlement));
      return { outgoing: encodeSettlement(decoded.claim, settlement, `S-${decoded.claim.claimId}`), refundOf: null };
    }
    if (decoded.kind === 'PREMIUM') {
      const decision = decidePremium(decoded.premium, books, policyOf);
      applyPremium(decoded.premium, decision, books);
      const { allocation, on } = decision;
      if (allocation !== null) {
        this.#paid.set(decoded.premium.premiumId, paidByPremium(decoded.premium, allocation, on));
      }
      return { outgoing: encodePremium(decoded.premium, decision), refundOf: null };
    }
    const { refund } = decoded;
    const paid = this.#paid.get(refund.claimId);
    const decision = decideRefund(refund, paid, books);
    const done = paid !== undefined && decision.status === 'REFUNDED';
    if (done) {
      applyRefund(refund, paid, decision, books);
      this.#paid.set(refund.claimId, afterRefund(paid, decision));
    }
    return { outgoing: encodeRefund(refund, decision), refundOf: done ? refund.claimId : null };
  }

  async get(url: string, api = this.api): Promise<{ status: number; type: string; body: Wire }> {
    const answer = await api.inject({ method: 'GET', url });
    return { status: answer.statusCode, type: String(answer.headers['content-type']), body: answer.json() };
  }

  async quote(fields: unknown): Promise<{ status: number; type: string; body: Wire }> {
    const payload = typeof fields === 'string' ? fields : JSON.stringify(fields);
    const headers = { 'content-type': 'application/json' };
    const answer = await this.api.inject({ method: 'POST', url: '/v1/quotes', payload, headers });
    return { status: answer.statusCode, type: String(answer.headers['content-type']), body: answer.json() };
  }
}
