import { ensure, FencedError, HaltError } from './errors.ts';
import type { Settings } from './options.ts';
import type { LogSession, ShardId, ShardState } from './port.ts';
import { takeRows } from './publish-lane.ts';
import { loadRows, Tenure } from './tenure.ts';

/**
 * Takes a shard: fence in the database, fence at the broker, and only then read what is published; halt on what cannot be explained;
 * publish what a predecessor committed and left. The shard is ours only when all of it has succeeded; any rejection means from the top.
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
  const { publisher } = settings;
  const recovered = await publisher.recover(shard.partition);
  let position = state.publishedSeq;
  if (recovered > position) position = recovered;

  // The bounds are read again because the log may have grown, and the predecessor advanced, since the first look.
  const bounds = await session.bounds();
  const next = state.nextOffset;
  ensure(
    state.partitions === bounds.partitions,
    'partition-count-changed',
    `${state.partitions} is now ${bounds.partitions}`,
  );
  ensure(position <= state.outSeq, 'position-ahead-of-database', `published ${position}, written ${state.outSeq}`);
  ensure(next <= bounds.end, 'input-beyond-log-end', `next is ${next}, the log ends at ${bounds.end}`);
  ensure(next >= bounds.start, 'input-lost', `next is ${next}, the log starts at ${bounds.start}`);

  const tenure = new Tenure(shard, state, position, session, settings);
  tenure.logEnd = bounds.end;
  tenure.hasProgressed = next === bounds.end;
  for await (const rows of loadRows(tenure, position, state.outSeq)) {
    while (rows.length > 0) {
      const chunk = takeRows(rows, settings.limits);
      tenure.position = await publisher.publish(shard.partition, chunk);
    }
  }
  return tenure;
}
