import { MemoryBroker } from '../src/memory/broker.ts';
import { MemoryGroup, MemoryLog } from '../src/memory/log.ts';
import { MemoryPublisher } from '../src/memory/publisher.ts';
import { MemoryProcess, World } from '../src/memory/world.ts';
import { describeAdapters, PARTITIONS, type Rig } from './contract.ts';

async function makeRig(): Promise<Rig> {
  const world = new World(1);
  const broker = new MemoryBroker(PARTITIONS);
  const group = new MemoryGroup(world, PARTITIONS);
  let processes = 0;
  const process = (): MemoryProcess => new MemoryProcess(`process-${++processes}`, world);
  const until = async (condition: () => boolean, what: string): Promise<void> => {
    if (!(await world.run(condition, world.now + 60_000))) throw new Error(`waited in vain for ${what}`);
  };
  return {
    outputTopic: 'output',
    sideTopic: 'aside',
    publisher: (failpoint) => new MemoryPublisher(process(), broker, {}, failpoint),
    log: () => new MemoryLog(process(), broker, group),
    append: async (partition, values) => {
      for (const value of values) broker.append(partition, Buffer.from(value));
    },
    committed: async (partition) => broker.committed('output', partition).map(({ value }) => `${value}`),
    until,
    settled: async (promise) => {
      let isSettled = false;
      const settle = (): void => {
        isSettled = true;
      };
      promise.then(settle, settle);
      await until(() => isSettled, 'a promise to settle');
      return promise;
    },
    close: async () => {},
  };
}

describeAdapters('memory', makeRig);
