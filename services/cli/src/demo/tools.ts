import { Sender, tail } from '@repo/messaging';
import { audit } from '../audit/audit.ts';
import { loadMemberRows } from '../load.ts';
import type { DemoTools } from './system.ts';

const CLIENT_ID = 'gongji-demo';

/** The demo's hands: the ledger's bulk load, a producer, a reader, and the audit that `gongji audit` is. */
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
