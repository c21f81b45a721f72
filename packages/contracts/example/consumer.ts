import { decodePublished } from '@repo/contracts';
import { Kafka, logLevel } from 'kafkajs';

// What relatives have paid so far, by relation, in fen, a line after each settlement: node consumer.ts BROKERS TOPIC
const [brokers = '127.0.0.1:9092', topic = 'gongji.settlements.v1'] = process.argv.slice(2);
const kafka = new Kafka({ clientId: 'reporting', brokers: brokers.split(','), logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId: `reporting-${topic}`, readUncommitted: false });
const last = new Map<number, bigint>();
const paid: Record<string, number> = {};
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  eachMessage: async ({ partition, message }) => {
    const headers = Object.entries(message.headers ?? {}).map(([k, v]) => [k, Buffer.from(String(v))] as const);
    const event = decodePublished({ value: message.value, headers });
    if (event.kind === 'BROKEN') throw new Error(JSON.stringify(event.issues));
    // A type that came later, or a record read before.
    if (event.kind === 'OTHER' || event.sequence <= (last.get(partition) ?? -1n)) return;
    last.set(partition, event.sequence);
    if (event.type !== 'settlement.settled') return;
    for (const { relation, amount } of event.value.allocation)
      if (relation) paid[relation] = (paid[relation] ?? 0) + Number(amount.replace('.', ''));
    console.log(JSON.stringify(paid));
  },
});
