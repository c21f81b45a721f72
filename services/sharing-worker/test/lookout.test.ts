import { expect, it } from 'vitest';
import { Lookout } from '../src/lookout.ts';

/** A database in which work waits for these shards, and what it was asked. */
function lookingAt(...withWork: number[]) {
  const asked: number[][] = [];
  const rows = async <Row>(_: string, [partitions]: readonly unknown[] = []) => {
    asked.push(partitions as number[]);
    return (partitions as number[]).map((partition) => ({
      ...{ partition, work: withWork.includes(partition), check: false, left: false },
    })) as Row[];
  };
  const clock = { now: 1_000 };
  return { asked, clock, lookout: new Lookout({ rows }, () => clock.now) };
}

it('asks once for all shards that look at the same moment, and tells each once', async () => {
  const { asked, clock, lookout } = lookingAt(1);
  const look = async () => {
    const found = [];
    for (const partition of [0, 1, 2]) found.push((await lookout.waitsFor(partition)).work);
    return found;
  };
  await look(); // nobody knew yet which shards there are
  asked.length = 0;
  clock.now += 250;
  expect(await look()).toEqual([false, true, false]);
  expect(asked).toEqual([[0, 1, 2]]);
  expect(await lookout.waitsFor(1)).toMatchObject({ work: true });
  expect(asked).toHaveLength(2);
});

it('does not go by what was found a while ago', async () => {
  const { asked, clock, lookout } = lookingAt();
  await lookout.waitsFor(0);
  await lookout.waitsFor(1);
  clock.now += 51;
  await lookout.waitsFor(0);
  expect(asked).toEqual([[0], [0, 1], [0, 1]]);
});
