import { DECODE_LIMITS, topicsOf } from '@repo/contracts';
import { createTopics, Sender } from '@repo/messaging';
import { freshTopicPrefix, testBrokers } from '@repo/testkit';
import { expect, test } from 'vitest';
import { readInputs } from '../../src/simulate/inputs.ts';

test('a replay takes from the topics what the workers took, by their limit of days in the future', async () => {
  const topicPrefix = freshTopicPrefix();
  const connection = { brokers: testBrokers().split(','), clientId: 'simulate-test' };
  await createTopics({ connection, prefix: topicPrefix, partitions: 1 });
  const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
  const person = { psn_no: 'P1', insutype: '310', psn_type: '1101', employment: 'ACTIVE', insu_admdvs: '210102' };
  const account = { ...person, insured: true, prior_year: '0.00', current_year: '40.00', as_of: inDays(500) };
  await using sender = await Sender.open(connection);
  await sender.sendAll(topicsOf(topicPrefix).members, [
    { key: 'P1', value: JSON.stringify(account), headers: [['ce_type', Buffer.from('account.opened')]] },
  ]);
  const taken = async (futureDaysMax: number) => {
    const limits = { ...DECODE_LIMITS, futureDaysMax };
    const shards = await readInputs({ connection, topicPrefix, limits, onProgress: () => undefined });
    return [...shards.values()].flat().map(({ input }) => input.identity);
  };
  expect(await taken(400)).toEqual([]);
  expect(await taken(600)).toEqual(['account.opened:P1:']);
});
