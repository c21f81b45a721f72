import { hash } from 'node:crypto';
import { type DecodeLimits, topicsOf } from '@repo/contracts';
import { type CalendarDate, formatMoney, type PolicyLookup, type Settlement } from '@repo/domain';
import { readStored, Snapshot, type ViewedOutcome } from '@repo/ledger';
import { findTruncated, type KafkaConnection } from '@repo/messaging';
import type { Range } from '../export/tables.ts';
import { readBeginning, readPostings } from './beginning.ts';
import { type AccountOrder, inPostingOrder, postingKey, readInputs } from './inputs.ts';
import { describeLoss } from './reach.ts';
import { Comparison, type Report } from './report.ts';
import { type Input, World } from './world.ts';

export interface SimulateOptions extends Range {
  readonly databaseUrl: string;
  readonly connection: KafkaConnection;
  readonly topicPrefix: string;
  readonly limits: DecodeLimits;
  /** The policies that were in force; `after` holds the proposed ones, used from the first day of the range. */
  readonly before: PolicyLookup;
  readonly after: PolicyLookup;
  readonly onProgress?: (share: number, doing: string) => void;
}

/** The topics or the ledger lack something that a replay needs. */
export class CannotReplay extends Error {
  override readonly name = 'CannotReplay';
}

const [READ, PREPARED] = [0.4, 0.6];

/**
 * Replays the input topics twice side by side: through the policies that were in force and, from the first day of the range, through the
 * proposed ones. Each side decides a claim by its own balances. The first side's settlements are compared with the ledger's, and the report
 * counts those that differ, since they make the comparison less reliable. Reads only. Throws `CannotReplay`.
 */
export async function simulate(options: SimulateOptions): Promise<Report> {
  const { databaseUrl, connection, topicPrefix, limits, from, to, before, onProgress = () => {} } = options;
  await mustReachBack(connection, topicPrefix, from);
  await using snapshot = await Snapshot.open(databaseUrl);
  const postings = await readPostings(snapshot, before);
  onProgress(0.1, 'reading the topics');
  const shards = await readInputs({
    connection,
    topicPrefix,
    limits,
    onProgress: (share) => onProgress(0.1 + share * (READ - 0.1), 'reading the topics'),
  });
  const inputs = [...shards.values()].flat().map(({ input }) => input);
  const events = inputs.flatMap((input) => (input.kind === 'MEMBER' ? [input.event] : []));
  const beginning = await readBeginning(snapshot, events, postings);
  const people = new Set(beginning.persons.map(({ personNo }) => personNo));
  const order = withoutLoads(postings.order, people);
  mustBeWhole(order, inputs);
  const answers = await readAnswers(snapshot);
  onProgress(PREPARED, 'replaying');
  const after: PolicyLookup = (area, on) => (on < from ? before : options.after)(area, on);
  const worlds = [new World(before), new World(after)] as const;
  for (const world of worlds) {
    world.books.load(beginning);
    for (const month of beginning.months) world.contributions.put(month);
  }
  const comparison = new Comparison({ from, to }, worlds[0].books);
  const taken = new Set<string>();
  let done = 0;
  for (const { input } of inPostingOrder(shards, order)) {
    done += 1;
    if (done % 1000 === 0) onProgress(PREPARED + ((1 - PREPARED) * done) / inputs.length, 'replaying');
    if (taken.has(input.identity)) continue;
    if (input.kind === 'ARREARS_CHECK') {
      checkAll(worlds, people, input);
      taken.add(input.identity);
      continue;
    }
    const [was, would] = [worlds[0].take(input), worlds[1].take(input)];
    if (was.isDead) continue;
    taken.add(input.identity);
    if (input.kind === 'MEMBER' && input.event.kind === 'ACCOUNT_OPENED') people.add(input.personNo);
    if (input.kind !== 'CLAIM' || was.settlement === null || would.settlement === null) continue;
    comparison.add(
      input.claim,
      was.settlement,
      would.settlement,
      isAsAnswered(was.settlement, answers.get(input.claim.claimId)),
    );
  }
  onProgress(1, 'done');
  return comparison.report();
}

/** Runs the check for everyone; it depends only on a person's own months, so the order of people does not matter. */
function checkAll(
  worlds: readonly World[],
  people: ReadonlySet<string>,
  { check }: Extract<Input, { kind: 'ARREARS_CHECK' }>,
): void {
  for (const personNo of people) for (const world of worlds) world.check(personNo, check.on, check.checkId);
}

/** Bulk-loaded people are in the books from the beginning, so no input must wait for the posting of their opening. */
const withoutLoads = (order: AccountOrder, loaded: ReadonlySet<string>): AccountOrder =>
  new Map(
    [...order].map(([account, keys]) => [
      account,
      loaded.has(account) ? keys.filter((key) => key !== `OPENING ${account}`) : keys,
    ]),
  );

/**
 * The topics must still hold their first record. `mustBeWhole` alone would not notice a lost input that posted nothing, such as a binding
 * or a claim paid all in cash.
 */
async function mustReachBack(connection: KafkaConnection, topicPrefix: string, from: CalendarDate): Promise<void> {
  const { claims, members } = topicsOf(topicPrefix);
  const truncated = await findTruncated({ connection, topics: [claims, members] });
  if (truncated.length > 0) throw new CannotReplay(describeLoss(truncated, from));
}

/** Every posting must have its input on the topics: without one the balances could not be reproduced. */
function mustBeWhole(order: AccountOrder, inputs: readonly Input[]): void {
  const known = new Set(inputs.map(postingKey));
  let missing = 0;
  for (const keys of order.values()) for (const key of keys) if (!known.has(key)) missing += 1;
  if (missing > 0)
    throw new CannotReplay(
      `${missing} postings have no input on the topics: these are not the ones the books were made from, or were created anew since`,
    );
}

type Parts = {
  readonly source: string;
  readonly account: string;
  readonly amount: string;
  readonly prior_year: string;
}[];
interface Answer {
  readonly status: string;
  readonly psn_cash_pay: string;
  readonly balc: string;
  readonly allocation: Parts;
  readonly skipped: readonly { readonly source: string; readonly account: string; readonly code: string }[];
}

/** The compared parts of an answer, as a digest: a tenth of the text's size. */
const told = ({ status, psn_cash_pay, balc, allocation, skipped }: Answer): string =>
  hash(
    'sha1',
    JSON.stringify([
      status,
      psn_cash_pay,
      balc,
      allocation.map(({ source, account, amount, prior_year }) => [source, account, amount, prior_year]),
      skipped.map(({ source, account, code }) => [source, account, code]),
    ]),
    'base64',
  );

/** By claim id, the digest of the answer in the ledger. */
async function readAnswers(snapshot: Snapshot): Promise<Map<string, string>> {
  const answers = new Map<string, string>();
  const sql = `select stamp, payload from all_outcome where dest = 'R' order by shard_id, seq`;
  for await (const piece of snapshot.pieces<ViewedOutcome>('answers', sql, 2_000))
    for (const stored of piece) {
      const { stamp, payload } = readStored(stored);
      if (!/"settlement\.(settled|refused)"/.test(stamp)) continue;
      const answer = JSON.parse(payload.toString()) as Answer & { readonly claim_id: string };
      answers.set(answer.claim_id, told(answer));
    }
  return answers;
}

const isAsAnswered = (settlement: Settlement, answer: string | undefined): boolean =>
  answer ===
  told({
    status: settlement.status,
    psn_cash_pay: formatMoney(settlement.cashPaid),
    balc: formatMoney(settlement.balance),
    allocation: settlement.allocation.map(({ source, account, amount, priorYear }) => ({
      source,
      account,
      amount: formatMoney(amount),
      prior_year: formatMoney(priorYear),
    })),
    skipped: settlement.skipped.map(({ source, account, code }) => ({ source, account, code })),
  });
