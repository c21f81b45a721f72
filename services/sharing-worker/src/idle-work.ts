import { applyArrearsCheck, blockRule, monthsDue, startOf } from '@repo/domain';
import {
  type ArrearsChunk,
  concernedIn,
  type LedgerTransaction,
  leaveOut,
  leftOut,
  MemberWorld,
  moveCheck,
  type OpenCheck,
  openCheck,
  partHeld,
  readChunk,
} from '@repo/ledger';
import type { Applied, Lease } from '@repo/messaging';
import { type BatchPlace, FULL_SHARE, type Share, writeApplied } from '@repo/shard-worker';
import { type MemberDeps, MemberDraft, writesOf } from './apply-members.ts';
import { BackdatedFacts } from './backdated.ts';
import { Lookout } from './lookout.ts';
import type { Pace } from './pace.ts';
import { WorkQueue } from './work-queue.ts';

/** Payers in one transaction of work; persons that one transaction of a check looks at, of whom the check concerns few. */
const PAYERS_MAX = 500;
const CHUNK = 4_000;

/**
 * What a members shard does between batches: the work that postings left, and open arrears checks, a stretch at a time as `pace` allows.
 * Each step is a transaction that moves its own cursor, so a crash repeats and loses nothing. A stretch goes first when `pace` allows it,
 * since under load there is always other work; still, a payer's own work is done before that payer is checked. Nothing is done here for a
 * payer of whom messages are held: it might fail as they did, and what they say is not known yet. Null = nothing to do now.
 */
export async function doIdleWork(
  lease: Lease,
  deps: MemberDeps,
  pace: Pace,
  share: Share = FULL_SHARE,
  lookout: Lookout = new Lookout(deps.ledger),
): Promise<Applied | null> {
  const { partition } = lease.shard;
  const waiting = await lookout.waitsFor(partition);
  const chunk = Math.min(CHUNK, share.countMax);
  // Looking for a failure ignores the pace, which other shards may have used up meanwhile.
  const isPaced = share.only === undefined;
  const isCheck = waiting.check && (isPaced ? pace.begin(chunk) : share.only === 'CHECK');
  if (!isCheck && !waiting.work && !waiting.left) return null;
  let looked = 0;
  try {
    return await deps.ledger.transact(async (tx) => {
      const shard = await tx.lockShard(lease);
      const place = { lease, shard, nextOffset: lease.nextOffset, share, chunk };
      const draft = new MemberDraft();
      const step = isCheck
        ? await doCheck(tx, place, draft, deps)
        : ((await doBalanceWork(tx, place, draft, deps)) ?? (await doLeft(tx, place, draft, deps)));
      if (step === null) return null;
      looked = step.looked;
      return writeApplied(tx, place, writesOf(step.world, draft), deps.targets);
    });
  } finally {
    // A failed stretch looked at nobody, so it may be tried again at once.
    if (isCheck && isPaced) pace.giveBack(chunk - looked);
  }
}

interface Step {
  readonly world: MemberWorld;
  /** How many persons a check has looked at. */
  readonly looked: number;
}

/** Where a step is done, how much it may do, and how many persons a check may look at. */
type Place = Pick<BatchPlace, 'lease' | 'shard'> & { readonly share: Share; readonly chunk: number };

/** Separates payers of whom nothing is held from the others. */
const partPayers = (tx: LedgerTransaction, { lease, shard }: Place, payers: readonly string[]) =>
  partHeld(tx, { shard: lease.shard, locked: shard }, payers, (payer) => Buffer.from(payer));

type Kind = 'BALANCE' | 'CHECK' | 'LEFT';

const isAsked = ({ only }: Share, kind: Kind): boolean => only === undefined || only === kind;

function begin(share: Share, kind: Kind, people: readonly string[]): void {
  for (const person of people) share.begin(kind, Buffer.from(person));
}

async function doBalanceWork(
  tx: LedgerTransaction,
  place: Place,
  draft: MemberDraft,
  { policyOf }: MemberDeps,
): Promise<Step | null> {
  const { topic, partition } = place.lease.shard;
  if (!isAsked(place.share, 'BALANCE')) return null;
  const limit = Math.min(PAYERS_MAX, place.share.countMax);
  const oldest = await tx.dueWork(partition, limit, place.shard.quarantined ? topic : null);
  if (oldest.length === 0) return null;
  const payers = [...new Set(oldest.map(({ payer }) => payer))];
  begin(place.share, 'BALANCE', payers);
  const world = await MemberWorld.load(tx, [], policyOf, payers);
  // Read again under the locks: a posting may have left more meanwhile, and all of a payer's work is done in order.
  const queue = new WorkQueue(await tx.workFor(partition, payers), world, draft);
  for (const payer of payers) queue.doPostings(payer);
  return { world, looked: 0 };
}

async function doCheck(
  tx: LedgerTransaction,
  place: Place,
  draft: MemberDraft,
  deps: MemberDeps,
): Promise<Step | null> {
  const { partition } = place.lease.shard;
  const check = await openCheck(tx, partition);
  if (check === null) return null;
  const chunk = await readChunk(tx, partition, check.cursor, place.chunk);
  const { last, count } = chunk;
  const { world, marked } =
    last === null
      ? { world: await MemberWorld.load(tx, [], deps.policyOf), marked: 0 }
      : await checkStretch(tx, place, check, { ...chunk, last }, draft, deps);
  await moveCheck(tx, partition, check.checkId, {
    last,
    checked: count,
    marked,
    paused: draft.paused,
    finished: count < place.chunk,
  });
  return { world, looked: count };
}

/** Checks one payer whom a check passed over because of held messages, now that none is held. */
async function doLeft(tx: LedgerTransaction, place: Place, draft: MemberDraft, deps: MemberDeps): Promise<Step | null> {
  const { topic, partition } = place.lease.shard;
  if (!isAsked(place.share, 'LEFT')) return null;
  const left = await leftOut(tx, partition, place.shard.quarantined ? topic : null);
  if (left === null) return null;
  begin(place.share, 'LEFT', [left.personNo]);
  const { world } = await checkPeople(tx, partition, left, [left.personNo], draft, deps);
  return { world, looked: 0 };
}

async function checkStretch(
  tx: LedgerTransaction,
  place: Place,
  check: OpenCheck,
  { last, areas, since, behindIn }: ArrearsChunk & { last: string },
  draft: MemberDraft,
  deps: MemberDeps,
): Promise<{ world: MemberWorld; marked: number }> {
  const { partition } = place.lease.shard;
  const { on, cursor: after } = check;
  const { policyOf } = deps;
  const months =
    since === null
      ? []
      : areas.flatMap((area) => monthsDue(area, since, on, policyOf).map((month) => ({ area, ...month })));
  const rules = behindIn.map((area) => blockRule(area, on, policyOf));
  const concerned = await concernedIn(tx, partition, { after, last, on, months, rules });
  const { free, held } = await partPayers(tx, place, concerned);
  leaveOut(tx, partition, check, held);
  begin(place.share, 'CHECK', free);
  return checkPeople(tx, partition, check, free, draft, deps);
}

async function checkPeople(
  tx: LedgerTransaction,
  partition: number,
  { checkId, on }: Pick<OpenCheck, 'checkId' | 'on'>,
  people: readonly string[],
  draft: MemberDraft,
  { policyOf }: MemberDeps,
): Promise<{ world: MemberWorld; marked: number }> {
  const world = await MemberWorld.load(tx, [], policyOf, people, people);
  const queue = new WorkQueue(await tx.workFor(partition, people), world, draft);
  const backdated = new BackdatedFacts(world);
  const cause = { type: 'arrears.check', id: checkId };
  const check = { at: startOf(on), cause };
  let marked = 0;
  for (const personNo of people) {
    queue.catchUp(personNo, on, cause);
    const checked = backdated.watch(personNo, check, () => applyArrearsCheck(world, personNo, on, cause));
    draft.tell(checked.events);
    for (const { dueOn } of checked.due) queue.leave(personNo, dueOn, cause);
    if (checked.marked > 0) marked += 1;
  }
  await backdated.write(tx);
  return { world, marked };
}
