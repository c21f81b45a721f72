import { randomUUID } from 'node:crypto';
import { until } from '@repo/testkit';
import { SpanReceiver } from '@repo/testkit/spans';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventRecord } from '../../src/system/story.ts';
import { TestSystem } from '../../src/system/system.ts';

type Wire = Readonly<Record<string, unknown>>;

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const NOON = '2025-03-10T12:00:00+08:00';
const [PAYER, PATIENT] = ['PSN420000000217', 'PSN420000000218'];
const facts = { insutype: '310', psn_type: '1101', employment: 'ACTIVE', insu_admdvs: '420100', insured: true };

let system: TestSystem;
let collector: SpanReceiver;
beforeAll(async () => {
  collector = await SpanReceiver.open();
  system = await TestSystem.start({
    partitions: 2,
    environment: ({ name }): Readonly<Record<string, string>> => ({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      ...(name === 'query-api' && { GONGJI_COMMAND_WAIT_MS: '3000' }),
    }),
  });
  await system.topics.send([
    eventRecord('account.opened', { ...facts, psn_no: PAYER, prior_year: '500.00', as_of: NOON }),
    eventRecord('account.opened', { ...facts, psn_no: PATIENT, prior_year: '60.00', as_of: NOON }),
  ]);
  await system.waitUntilAnswered(60_000);
  const claim = { mdtrt_id: 'M1', psn_no: PATIENT, fixmedins_code: 'H1', designated: true, med_type: '11' };
  const amounts = { medfee_sumamt: '50.00', fund_pay_sumamt: '0.00', psn_part_amt: '50.00' };
  await system.topics.send([
    eventRecord('claim.submitted', {
      ...claim,
      ...amounts,
      claim_id: 'C1',
      fix_blng_admdvs: '420106',
      setl_time: NOON,
    }),
  ]);
  await system.waitUntilAnswered(60_000);
});
afterAll(async () => {
  await system?.[Symbol.asyncDispose]();
  await collector?.[Symbol.asyncDispose]();
});

async function once(request: string, body: unknown, key: string | undefined) {
  const [method = '', path = ''] = request.split(' ');
  const answer = await fetch(new URL(path, system.http), {
    method,
    headers: {
      'content-type': 'application/json',
      traceparent: TRACE,
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const location = answer.headers.get('location');
  return { status: answer.status, location, body: (await answer.json()) as Wire };
}

/** As a client does it: while the answer is not there, the same request with the same key. */
const command = (request: string, body: unknown = {}, key: string = randomUUID()) =>
  until(
    async () => {
      const answer = await once(request, body, key);
      return answer.status === 202 ? null : answer;
    },
    { what: `an answer to ${request}`, deadlineMs: 60_000 },
  );

const wanted = (over: Wire = {}) => ({ payer: PAYER, beneficiary: PATIENT, relation: 'SPOUSE', ...over });

async function bound(): Promise<string> {
  const { status, body } = await command('POST /v1/bindings', wanted());
  expect([status, body.state]).toEqual([201, 'PENDING']);
  return String(body.binding_id);
}

test('a binding is asked for, approved, paused, resumed, changed and ended, each answered with what it is then', async () => {
  const asked = await command('POST /v1/bindings', wanted({ priority: 2, daily_limit: '100.50' }));
  expect(asked).toMatchObject({
    status: 201,
    location: `/v1/bindings?payer=${PAYER}`,
    body: { payer: PAYER, beneficiary: PATIENT, state: 'PENDING', priority: 2, daily_limit: '100.50' },
  });
  const at = `/v1/bindings/${asked.body.binding_id}`;
  const stateAfter = async (request: string, body?: object) => {
    const { status, body: binding } = await command(request, body);
    return status === 200 ? [binding.state, binding.pause_reasons] : status;
  };
  expect(await stateAfter(`POST ${at}/approve`)).toEqual(['ACTIVE', []]);
  expect(await stateAfter(`POST ${at}/pause`)).toEqual(['PAUSED', ['USER']]);
  expect(await stateAfter(`POST ${at}/resume`, { reason: 'USER' })).toEqual(['ACTIVE', []]);
  const changes = { priority: null, daily_limit: '30.10', effective_to: '2099-12-31', premium_registered: true };
  expect((await command(`PATCH ${at}`, changes)).body).toMatchObject(changes);
  expect(await stateAfter(`POST ${at}/revoke`)).toEqual(['REVOKED', []]);
  const { bindings } = (await system.read(`/v1/bindings?payer=${PAYER}`)) as { bindings: Wire[] };
  expect(bindings).toContainEqual(expect.objectContaining({ binding_id: asked.body.binding_id, state: 'REVOKED' }));
  expect(await command(`PATCH ${at}`, { priority: 1 })).toMatchObject({
    status: 409,
    body: { code: 'TRANSITION_NOT_ALLOWED' },
  });
  const { events } = (await system.read(`${at}/history`)) as { events: Wire[] };
  expect(events.map(({ ce_type, changes }) => [ce_type, changes])).toEqual([
    ['binding.activated', undefined],
    ['sharing.paused', undefined],
    ['sharing.resumed', undefined],
    [
      'binding.changed',
      [
        { field: 'priority', before: 2, after: null },
        { field: 'daily_limit', before: '100.50', after: '30.10' },
        { field: 'effective_to', before: null, after: '2099-12-31' },
        { field: 'premium_registered', before: false, after: true },
      ],
    ],
    ['binding.revoked', undefined],
  ]);
});

test('a command repeated with its key is the same one, at once or later, and another one with its key is refused', async () => {
  const key = randomUUID();
  const answers = await Promise.all([1, 2, 3, 4].map(() => command('POST /v1/bindings', wanted(), key)));
  expect(new Set(answers.map(({ status, body }) => `${status} ${body.binding_id}`)).size).toBe(1);
  const bindingId = String(answers[0]?.body.binding_id);
  expect(await command('POST /v1/bindings', wanted({ relation: 'CHILD' }), key)).toMatchObject({
    status: 409,
    body: { code: 'EVENT_CONFLICT' },
  });
  const approval = randomUUID();
  expect((await command(`POST /v1/bindings/${bindingId}/approve`, {}, approval)).status).toBe(200);
  expect((await command(`POST /v1/bindings/${bindingId}/approve`, {}, `"${approval}"`)).status).toBe(200);
  expect((await command(`POST /v1/bindings/${bindingId}/approve`)).body).toMatchObject({
    code: 'TRANSITION_NOT_ALLOWED',
  });
  const other = await bound();
  expect((await command(`POST /v1/bindings/${other}/approve`, {}, approval)).body).toMatchObject({
    code: 'EVENT_CONFLICT',
  });
  // What was refused leaves dead letters; a repeat leaves none.
  await system.waitUntilAnswered();
  const told = system.topics.published.filter(({ value }) => value.includes(bindingId));
  const activated = told.filter(({ headers }) => headers.ce_type === 'binding.activated');
  expect(activated.map(({ headers }) => headers.traceparent)).toEqual([TRACE]);
});

test('a request that the rules refuse says which one, and says it again', async () => {
  const key = randomUUID();
  for (let i = 0; i < 2; i++) {
    expect(await command('POST /v1/bindings', wanted({ beneficiary: PAYER }), key)).toMatchObject({
      status: 422,
      body: { code: 'SELF_BINDING' },
    });
  }
});

test('a refund is paid once, however often and at the same time it is asked for', async () => {
  const key = randomUUID();
  const ask = () => command('POST /v1/settlements/C1/refunds', { amount: 20.1 }, key);
  const answers = [...(await Promise.all([ask(), ask(), ask()])), await ask()];
  for (const { status, location, body } of answers) {
    expect(status).toBe(201);
    expect(body).toMatchObject({ claim_id: 'C1', psn_no: PATIENT, status: 'REFUNDED', amount: '20.10' });
    expect(location).toBe(`/v1/refunds/${body.refund_id}`);
    expect(await system.read(String(location))).toEqual(body);
  }
  expect(await system.read('/v1/settlements/C1')).toMatchObject({ refundable: '29.90' });
  const refused = { status: 422, body: { code: 'REFUND_EXCEEDS_SETTLED' } };
  expect(await command('POST /v1/settlements/C1/refunds', { amount: '30.00' })).toMatchObject(refused);
  expect(await command('POST /v1/settlements/C1/refunds')).toMatchObject({ status: 201, body: { amount: '29.90' } });
  expect(await system.read('/v1/settlements/C1')).toMatchObject({ refundable: '0.00' });
});

test.each([
  ['no key', 'POST /v1/bindings', wanted(), null, 400, undefined],
  ['a key of nothing', 'POST /v1/bindings', wanted(), '""', 400, undefined],
  ['no JSON', 'POST /v1/bindings', '{', 'k1', 422, 'EVENT_MALFORMED'],
  ['a relation that is none', 'POST /v1/bindings', wanted({ relation: 'NEIGHBOUR' }), 'k2', 422, 'EVENT_MALFORMED'],
  ['a limit of three decimals', 'POST /v1/bindings', wanted({ daily_limit: 1.005 }), 'k3', 422, 'EVENT_MALFORMED'],
  [
    'a moment far ahead',
    'POST /v1/bindings',
    wanted({ bound_at: '2999-01-01T00:00:00Z' }),
    'k4',
    422,
    'EVENT_MALFORMED',
  ],
  ['an unknown payer', 'POST /v1/bindings', wanted({ payer: 'PSN999999999999' }), 'k5', 422, 'PERSON_UNKNOWN'],
  ['an unknown binding', 'POST /v1/bindings/none/pause', {}, 'k6', 404, undefined],
  ['an unknown settlement', 'POST /v1/settlements/none/refunds', {}, 'k7', 404, undefined],
])('%s is answered as a problem', async (_case, request, body, key, status, code) => {
  const answer = await (key === null ? once(request, body, undefined) : command(request, body, key));
  expect(answer).toMatchObject({ status, body: { status } });
  expect(answer.body.code).toBe(code);
  expect(JSON.stringify(answer.body)).not.toMatch(/NEIGHBOUR|PSN9/);
});

test('while the worker stands still a command is taken and told where to look, and its key tells later what came of it', async () => {
  const bindingId = await bound();
  const worker = system.running.services.find(({ service }) => service === 'sharing-worker');
  const key = randomUUID();
  const request = `POST /v1/bindings/${bindingId}/approve`;
  process.kill(worker?.pid ?? 0, 'SIGSTOP');
  try {
    expect(await once(request, {}, key)).toEqual({
      status: 202,
      location: `/v1/bindings?payer=${PAYER}`,
      body: { status: 'PENDING' },
    });
    // Sent a second time while the first waits: the same event twice.
    expect((await once(request, {}, key)).status).toBe(202);
  } finally {
    process.kill(worker?.pid ?? 0, 'SIGCONT');
  }
  expect(await command(request, {}, key)).toMatchObject({ status: 200, body: { state: 'ACTIVE' } });
  await system.waitUntilAnswered(60_000);
  const dead = system.topics.published.filter(
    ({ topic, value }) => topic === 'dead-letters' && value.includes(bindingId),
  );
  expect(dead).toEqual([]);
});

test('what a caller samples can be followed through request, database and broker to the outcome, and no span names anyone', async () => {
  await command(`POST /v1/bindings/${await bound()}/approve`);
  const claim = eventRecord('claim.submitted', {
    ...{
      claim_id: 'C-traced',
      mdtrt_id: 'M1',
      psn_no: PATIENT,
      fixmedins_code: 'H1',
      designated: true,
      med_type: '11',
    },
    ...{ fix_blng_admdvs: '420106', setl_time: NOON },
    ...{ medfee_sumamt: '1.00', fund_pay_sumamt: '0.00', psn_part_amt: '1.00' },
  });
  await system.topics.send([{ ...claim, headers: { ...claim.headers, traceparent: TRACE } }]);
  const outcome = await until(() => system.topics.published.find(({ value }) => value.includes('C-traced')), {
    what: 'the outcome of the traced claim',
    deadlineMs: 30_000,
  });
  expect(outcome.headers).toMatchObject({ ce_type: 'settlement.settled', traceparent: TRACE });
  const [, trace, sender] = TRACE.split('-');
  const { claims, members, settlements, sharing } = system.topics.names;
  const expected = [
    'query-api POST /v1/bindings',
    'query-api POST /v1/bindings/:binding_id/approve',
    `sharing-worker process ${members}`,
    `sharing-worker send ${sharing}`,
    `settlement-worker process ${claims}`,
    `settlement-worker send ${settlements}`,
  ];
  const ofCaller = () =>
    collector.spans.filter(({ traceId, parentSpanId }) => traceId === trace && parentSpanId === sender);
  const seen = () => new Set(ofCaller().map(({ service, name }) => `${service} ${name}`));
  await until(() => expected.every((each) => seen().has(each)), { what: `spans of ${expected}`, deadlineMs: 20_000 });
  // The claim's span names the batch that settled it, in whose trace the database's transaction is.
  const settled = ofCaller().find(({ name }) => name === `process ${claims}`);
  const inBatch = collector.spans.filter(({ parentSpanId }) => settled?.links.includes(parentSpanId));
  expect(inBatch.map(({ name }) => name)).toEqual(['database transaction']);
  for (const person of [PAYER, PATIENT]) expect(collector.text).not.toContain(person);
});

test('dead letters are sent again, judged afresh and each told what came of it; a repeat sends nothing', async () => {
  const [late, never] = ['PSN420000000317', 'PSN420000000318'];
  const credit = (psn_no: string) =>
    eventRecord('account.credited', { credit_id: `K-${psn_no}`, psn_no, amount: '20.00', at: NOON });
  await system.topics.send([credit(late), credit(never)]);
  const read = async () =>
    ((await system.read('/v1/dead-letters?code=PERSON_UNKNOWN')) as { dead_letters: Wire[] }).dead_letters.filter(
      ({ type }) => type === 'account.credited',
    );
  const dead = await until(async () => ((await read()).length === 2 ? await read() : null), {
    what: 'two dead letters',
    deadlineMs: 60_000,
  });
  await system.topics.send([
    eventRecord('account.opened', { ...facts, psn_no: late, prior_year: '1.00', as_of: NOON }),
  ]);
  await until(() => system.read(`/v1/accounts/${late}`).catch(() => null), { what: 'the account', deadlineMs: 60_000 });
  const body = { dead_letters: dead.map(({ dead_letter_id: id }) => id) };
  const key = randomUUID();
  const first = await once('POST /v1/dead-letters/redrive', body, key);
  const results = (first.body.redriven as Wire[]).map(({ result, code }) => `${result} ${code}`);
  expect(results.sort()).toEqual(['DEAD PERSON_UNKNOWN', 'TAKEN null']);
  expect(await system.read(`/v1/accounts/${late}`)).toMatchObject({ balance: '21.00' });
  expect((await once('POST /v1/dead-letters/redrive', body, key)).body).toEqual(first.body);
  expect(await read()).toHaveLength(3);
  expect(await once('POST /v1/dead-letters/redrive', { dead_letters: ['9-9'] }, key)).toMatchObject({ status: 409 });
});
