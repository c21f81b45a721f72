import {
  classifyKafkaError,
  createProcessor,
  FencedError,
  type KafkaConnection,
  KafkaLog,
  KafkaPublisher,
  type ProcessorOptions,
} from '../src/index.ts';
import { Echo, type LocalStore } from './local-store.ts';

export interface EchoWorkerOptions extends Pick<ProcessorOptions, 'onHalt' | 'limits'> {
  readonly connection: KafkaConnection;
  /** That of its publisher, where it is another. */
  readonly publishing?: KafkaConnection;
  readonly app: string;
  readonly topics: { readonly claims: string; readonly settlements: string };
  readonly store: LocalStore;
  readonly onCrash: (error: Error) => void;
}

/** A worker that echoes claims as settlements, on a database of its own; answers how it is stopped. */
export async function startEchoWorker(options: EchoWorkerOptions): Promise<() => Promise<void>> {
  const { connection, publishing = connection, app, topics, store, onCrash, ...rest } = options;
  const publisher = new KafkaPublisher({
    connection: publishing,
    app,
    topic: topics.claims,
    resultsTopic: topics.settlements,
  });
  const log = new KafkaLog({ connection, topic: topics.claims, groupId: app, sessionTimeoutMs: 6_000, onCrash });
  const handler = createProcessor({
    topic: topics.claims,
    owner: 'test',
    store,
    publisher,
    processor: new Echo(store, topics.settlements),
    classify: (error) => classifyKafkaError(error) ?? (error instanceof FencedError ? 'fenced' : 'defect'),
    ...rest,
  });
  await log.run(handler);
  return async () => {
    await log.stop();
    await publisher.close();
  };
}
