import { ensure, FencedError, HaltError } from './errors.ts';
import type { Settings } from './options.ts';
import type { LogSession, ShardId, ShardState } from './port.ts';
import { takeRows } from './publish-lane.ts';
import { loadRows, Tenure } from './tenure.ts';

/**
 * Takes a shard: fences the previous owner in the database, then at the broker, and only then reads the published position; publishes rows
 * that a predecessor committed but did not publish; halts on a state that no crash explains. After any rejection the shard is not ours and
 * acquiring starts from the beginning.
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
 * Whether another process has acquired the shard since. Then what looks like lost commits or missing rows may only be its progress, and
 * only the owner may halt a shard. If the row cannot be read, the shard counts as overtaken: the next acquisition looks again.
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
  // Checked before anything is published: deleting a topic also deletes the group's position for it, so where the topic was replaced the
  // position is in doubt.
  ensure(next <= bounds.end, 'input-beyond-log-end', `next is ${next}, the log ends at ${bounds.end}`);

  const tenure = new Tenure(shard, state, position, session, settings);
  tenure.logEnd = bounds.end;
  tenure.hasProgressed = next === bounds.end;
  await publishLeft(tenure);
  // The remaining checks come after `publishLeft`: while the shard is halted, nobody else would publish what is settled.
  ensure(
    state.partitions === bounds.partitions,
    'partition-count-changed',
    `${state.partitions} is now ${bounds.partitions}`,
  );
  ensure(next >= bounds.start, 'input-lost', `next is ${next}, the log starts at ${bounds.start}`);
  return tenure;
}

/** Publishes rows that are committed but unpublished, and stores the new position, since a shard that halts next would not do it later. */
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
