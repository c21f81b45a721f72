import { Ledger } from '@repo/ledger';
import { createTopics, RecordReader, Sender } from '@repo/messaging';
import { freshTopicPrefix, testBrokers } from '@repo/testkit';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { account, claim, Scene } from './scene.ts';

const AT = '2025-03-11T09:00:00+08:00';
const prefix = freshTopicPrefix();
const connection = { brokers: testBrokers().split(','), clientId: prefix };

let scene: Scene;
let reader: RecordReader;
let api: FastifyInstance;

beforeAll(async () => {
  const { claims } = await createTopics({ connection, prefix, partitions: 1 });
  scene = await Scene.open({ prefix });
  await scene.members(account('P1', { current_year: '40.00' }));
  const extra = { psn_name: '王小明', certno: '330106199001011234', inscp_scp_amt: '150.0' };
  await scene.settle('claim.submitted', claim(extra));
  await scene.settle('claim.refunded', { refund_id: 'R1', claim_id: 'C1', psn_no: 'P1', at: AT, amount: '20' });
  await scene.settle('claim.submitted', claim({ claim_id: 'C2' }));
  await scene.settle('claim.submitted', claim({ claim_id: 'C3' }));
  await scene.settle('claim.submitted', claim({ claim_id: 'C4' }));
  const came = [...scene.came.values()];
  // As created anew: the third claim is where the second was read, and nothing is where the last one was.
  await using sender = await Sender.open(connection);
  await sender.sendAll(
    claims,
    [0, 1, 3, 3].flatMap((n) => came[n] ?? []),
  );
  reader = new RecordReader(connection);
  api = scene.serve({ prefix, readInput: (place, options) => reader.read(place, options) });
});
afterAll(async () => {
  await api.close();
  await reader[Symbol.asyncDispose]();
  await scene[Symbol.asyncDispose]();
});

test('the message of a claim is shown as it came, with its place', async () => {
  const { status, body } = await scene.get('/v1/settlements/C1/input', api);
  expect(status).toBe(200);
  const value = scene.came.get(0n)?.value?.toString() ?? '';
  expect(body).toEqual({
    place: 'claims/0@0',
    at: '2025-03-10T12:00:00+08:00',
    type: 'claim.submitted',
    id: 'C1',
    bytes: Buffer.byteLength(value),
    key: 'P1',
    headers: [],
    value,
  });
  expect(value).toContain('"inscp_scp_amt":"150.0"');
});

test('so is that of a refund that was paid of it, and of no other', async () => {
  expect(await scene.get('/v1/settlements/C1/refunds/R1/input', api)).toMatchObject({
    ...{ status: 200, body: { place: 'claims/0@1', type: 'claim.refunded', id: 'R1' } },
  });
  for (const [path, name] of [
    ['C1/refunds/R2', 'refund'],
    ['C3/refunds/R1', 'refund'],
    ['C9/refunds/R1', 'settlement'],
  ])
    expect(await scene.get(`/v1/settlements/${path}/input`, api)).toMatchObject({
      ...{ status: 404, body: { type: `urn:problem-type:gongji:no-such-${name}` } },
    });
});

const problem = (name: string, status: number, detail: RegExp) => ({
  ...{ status, type: expect.stringMatching(/^application\/problem\+json/) },
  body: {
    type: `urn:problem-type:gongji:${name}`,
    title: expect.any(String),
    status,
    detail: expect.stringMatching(detail),
  },
});

test('a topic that holds the message no longer, or another one in its place, is said to', async () => {
  expect(await scene.get('/v1/settlements/C2/input', api)).toEqual(
    problem('input-gone', 410, /another one is in its place/),
  );
  expect(await scene.get('/v1/settlements/C3/input', api)).toMatchObject({ status: 200, body: { id: 'C3' } });
  expect(await scene.get('/v1/settlements/C4/input', api)).toEqual(
    problem('input-gone', 410, /no longer holds this message$/),
  );
});

test('of what was taken before places were kept nothing is known, which is said', async () => {
  await scene.settle('claim.submitted', claim({ claim_id: 'C5' }));
  const owner = await Ledger.open({ url: scene.url, name: 'owner' });
  await owner.rows(`update event_id set log_offset = null where event_id = 'claim:C5'`).finally(() => owner.close());
  expect(await scene.get('/v1/settlements/C5/input', api)).toEqual(problem('input-place-unknown', 404, /was not kept/));
});

test('while the broker is away the caller is asked to come again, and all else is answered', async () => {
  await using away = new RecordReader({ brokers: ['127.0.0.1:1'], clientId: prefix });
  const without = scene.serve({ prefix, readInput: (place) => away.read(place, { withinMs: 200 }) });
  expect(await scene.get('/v1/settlements/C1/input', without)).toEqual(
    problem('input-not-read', 503, /cannot be read at present/),
  );
  expect(await scene.get('/v1/settlements/C1', without)).toMatchObject({ status: 200 });
  await without.close();
});
