import { Sender, tail } from '@repo/messaging';
import { audit } from '../audit/audit.ts';
import { loadMemberRows } from '../load.ts';
import type { DemoTools } from './system.ts';

const CLIENT_ID = 'gongji-demo';

/** The demo's access to the ledger and Kafka: bulk load, producer, reader, and the same audit as `gongji audit`. */
export const demoTools = ({ partitions }: { readonly partitions: number }): DemoTools => ({
  loadMembers: ({ databaseUrl, rows }) => loadMemberRows({ databaseUrl, rows, partitions }),
  openProducer: async ({ brokers, topic }) => {
    const sender = await Sender.open({ brokers, clientId: CLIENT_ID });
    return {
      send: (records) =>
        sender.sendAll(
          topic,
          records.map(({ key, value, headers }) => ({
            key,
            value,
            headers: Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const),
          })),
        ),
      [Symbol.asyncDispose]: () => sender[Symbol.asyncDispose](),
    };
  },
  tail: ({ brokers, topics, onRecord, onFailure }) =>
    tail({
      connection: { brokers, clientId: CLIENT_ID },
      topics,
      from: 'end',
      onFailure,
      onRecords: (records) => {
        for (const { topic, value } of records) if (value !== null) onRecord(topic, value);
      },
    }),
  audit,
});
