import { hash } from 'node:crypto';
import { topicsOf } from '@repo/contracts';
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
  /** The rules that were in force, and those looked at, which hold from the first day of the range. */
  readonly before: PolicyLookup;
  readonly after: PolicyLookup;
  readonly onProgress?: (share: number, doing: string) => void;
}

/** What the inputs or the ledger lack to be replayed. */
export class CannotReplay extends Error {
  override readonly name = 'CannotReplay';
}

const [READ, PREPARED] = [0.4, 0.6];

/**
 * Replays the topics through the rules that were in force and, from the first day of the range, beside them through others. Each claim sees
 * the balances that its own side has come to. Every settlement of the first side is compared with the ledger's: what does not come out
 * as it was makes the comparison worth less, and is told. It only reads.
 */
export async function simulate(options: SimulateOptions): Promise<Report> {
  const { databaseUrl, connection, topicPrefix, from, to, before, onProgress = () => {} } = options;
  await mustReachBack(connection, topicPrefix, from);
  await using snapshot = await Snapshot.open(databaseUrl);
  const postings = await readPostings(snapshot, before);
  onProgress(0.1, 'reading the topics');
  const shards = await readInputs({
    connection,
    topicPrefix,
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

/** A check marks whoever is due; a person's months are theirs alone, so the order among them does not matter. */
function checkAll(
  worlds: readonly World[],
  people: ReadonlySet<string>,
  { check }: Extract<Input, { kind: 'ARREARS_CHECK' }>,
): void {
  for (const personNo of people) for (const world of worlds) world.check(personNo, check.on, check.checkId);
}

/** The openings of people who were loaded are in the books from the beginning: no input of the topics is to wait for them. */
const withoutLoads = (order: AccountOrder, loaded: ReadonlySet<string>): AccountOrder =>
  new Map(
    [...order].map(([account, keys]) => [
      account,
      loaded.has(account) ? keys.filter((key) => key !== `OPENING ${account}`) : keys,
    ]),
  );

/** The topics must begin with their first input: what never posted anything (a binding, a claim paid in cash alone) would be missed by nobody. */
async function mustReachBack(connection: KafkaConnection, topicPrefix: string, from: CalendarDate): Promise<void> {
  const { claims, members } = topicsOf(topicPrefix);
  const truncated = await findTruncated({ connection, topics: [claims, members] });
  if (truncated.length > 0) throw new CannotReplay(describeLoss(truncated, from));
}

/** Every posting must have its input: without one the books could not come out as they did. */
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

/** What of an answer is compared, as a digest: the text is ten times as long. */
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

/** What was answered to each claim. */
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
