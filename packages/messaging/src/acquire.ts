import { ensure, FencedError, HaltError } from './errors.ts';
import type { Settings } from './options.ts';
import type { LogSession, ShardId, ShardState } from './port.ts';
import { takeRows } from './publish-lane.ts';
import { loadRows, Tenure } from './tenure.ts';

/**
 * Takes a shard: fence in the database, fence at the broker, and only then read what is published; publish what a predecessor committed and
 * left; halt on what cannot be explained. The shard is ours only when all of it has succeeded; any rejection means from the top.
 */
export async function acquire(shard: ShardId, session: LogSession, settings: Settings): Promise<Tenure> {
  const { store, owner } = settings;
  const { partitions } = await session.bounds();
  const state = await store.acquire(shard, owner, partitions);
  try {
    return await takeOver(shard, state, session, settings);
  } catch (error) {
    if (error instanceof HaltError && (await isOvertaken({ shard, epoch: state.epoch, settings })))
      throw new FencedError();
    throw error;
  }
}

/**
 * Whether another has acquired the shard since. What looks like lost commits or missing rows is then only its progress: a halt must
 * be ours to call. A row that cannot be read counts as overtaken, for the next acquisition to look again.
 */
export async function isOvertaken({
  shard,
  epoch,
  settings,
}: Pick<Tenure, 'shard' | 'epoch' | 'settings'>): Promise<boolean> {
  const state = await settings.store.read(shard).catch(() => undefined);
  return state?.epoch !== epoch;
}

async function takeOver(shard: ShardId, state: ShardState, session: LogSession, settings: Settings): Promise<Tenure> {
  const recovered = await settings.publisher.recover(shard.partition);
  let position = state.publishedSeq;
  if (recovered > position) position = recovered;

  // The bounds are read again because the log may have grown, and the predecessor advanced, since the first look.
  const bounds = await session.bounds();
  const next = state.nextOffset;
  ensure(position <= state.outSeq, 'position-ahead-of-database', `published ${position}, written ${state.outSeq}`);
  // First of what the input may be wrong in: a topic that is deleted takes the position with it that the group has of it, and with that in
  // doubt nothing may be published.
  ensure(next <= bounds.end, 'input-beyond-log-end', `next is ${next}, the log ends at ${bounds.end}`);

  const tenure = new Tenure(shard, state, position, session, settings);
  tenure.logEnd = bounds.end;
  tenure.hasProgressed = next === bounds.end;
  await publishLeft(tenure);
  // What was settled is published whatever has become of the input: nobody else would do it while the shard is halted.
  ensure(
    state.partitions === bounds.partitions,
    'partition-count-changed',
    `${state.partitions} is now ${bounds.partitions}`,
  );
  ensure(next >= bounds.start, 'input-lost', `next is ${next}, the log starts at ${bounds.start}`);
  return tenure;
}

/** Publishes what is committed and was not, and stores how far that is: a shard that halts then never comes to it again. */
async function publishLeft(tenure: Tenure): Promise<void> {
  const { shard, settings } = tenure;
  const { publisher, store, limits } = settings;
  for await (const rows of loadRows(tenure, tenure.position, tenure.outSeq)) {
    while (rows.length > 0) tenure.position = await publisher.publish(shard.partition, takeRows(rows, limits));
  }
  if (tenure.position === tenure.marked) return;
  await store.markPublished(tenure, tenure.position);
  tenure.marked = tenure.position;
}
