import { topicsOf } from '@repo/contracts';
import { codeOf, findDead, Ledger } from '@repo/ledger';
import { Envelopes, newKey } from '@repo/sealing';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Scene } from './scene.ts';

type Wire = Readonly<Record<string, unknown>>;
interface Letters {
  readonly dead_letters: readonly { dead_letter_id: string; place: string; code: string; id: string | null }[];
  readonly next?: string;
}

const START = Date.parse('2025-03-10T08:00:00+08:00');
const HELD = 'claims%2F0%401041';
const claims = (n: number) => `{"claim_id":"C${n}","psn_no":"P1"}`;

const unsent = () => Promise.reject(new Error('nothing is sent here'));

let scene: Scene;
let api: FastifyInstance;

beforeAll(async () => {
  scene = await Scene.open();
  api = scene.serve({ commands: { topics: topicsOf('scene'), send: unsent, sendAgain: unsent, waitMs: 0 } });
  // Left in another order than they were sent in, the last a second and a tenth later than the one before.
  for (const n of [2, 0, 1])
    await scene.setAside(claims(n), { code: 'EVENT_MALFORMED', detail: 'at: expected a moment' }, START + n * 1_000);
  await scene.setAside('{', { code: 'EVENT_UNREADABLE', detail: 'expected JSON' }, START + 3_100);
  await scene.hold(1041, claims(7), 'TypeError');
  await scene.hold(1044, claims(8), null);
  await scene.hold(-1, '', 'RangeError');
});
afterAll(async () => {
  await api.close();
  await scene[Symbol.asyncDispose]();
});

const read = async <T>(url: string): Promise<T> => (await scene.get(url, api)).body as T;
async function command(url: string, body: object, key: string) {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  const answer = await api.inject({ method: 'POST', url, headers, payload: body });
  return { status: answer.statusCode, body: answer.json() as Wire };
}

test('dead letters are listed by the moment at which they were sent, without whose they are', async () => {
  const all = await read<Letters>('/v1/dead-letters');
  expect(all.dead_letters.map(({ id }) => id)).toEqual([null, 'C2', 'C1', 'C0']);
  expect(all.next).toBeUndefined();
  expect(JSON.stringify(all)).not.toMatch(/P1|psn_no/);
  expect(all.dead_letters[1]).toMatchObject({ code: 'EVENT_MALFORMED', type: 'claim.submitted' });
  const ids = async (query: string) =>
    (await read<Letters>(`/v1/dead-letters?${query}`)).dead_letters.map(({ id }) => id);
  expect(await ids('code=EVENT_UNREADABLE')).toEqual([null]);
  expect(await ids('id=C1')).toEqual(['C1']);
  expect(await ids('key=P1&topic=claims&partition=0')).toHaveLength(4);
  expect(await ids('key=P2')).toEqual([]);
  expect(await ids('topic=members')).toEqual([]);
  expect(await ids('since=2025-03-10T08:00:01%2B08:00&until=2025-03-10T08:00:03%2B08:00')).toEqual(['C2', 'C1']);
});

test('a list is read on from where its last page ended', async () => {
  const more = await Scene.open();
  for (let n = 0; n < 103; n++) await more.setAside(claims(n), { code: 'X', detail: 'd' }, START + (n % 50));
  const page = async (query: string) => (await more.get(`/v1/dead-letters${query}`)).body as unknown as Letters;
  const first = await page('');
  const second = await page(`?after=${first.next}`);
  const ids = [...first.dead_letters, ...second.dead_letters].map(({ dead_letter_id: id }) => id);
  expect([first.dead_letters.length, second.dead_letters.length, new Set(ids).size]).toEqual([100, 3, 103]);
  expect(second.next).toBeUndefined();
  await more[Symbol.asyncDispose]();
});

test('of large ones no more is read at once than has room, and all are listed', async () => {
  await using more = await Scene.open();
  const large = (n: number) => `{"claim_id":"C${n}","filling":"${'x'.repeat(1 << 20)}"}`;
  for (let n = 0; n < 9; n++) await more.setAside(large(n), { code: 'X', detail: 'd' }, START + n);
  const ledger = await Ledger.open({ url: more.url, name: 'test' });
  onTestFinished(() => ledger.close());
  const some = await findDead(ledger, {}, { limit: 500, bytesMax: 2 << 20 });
  expect([some.rows.length, some.more]).toEqual([2, true]);
  const one = await findDead(ledger, {}, { limit: 500, bytesMax: 1 });
  expect([one.rows.length, one.more]).toEqual([1, true]);
  expect(await findDead(ledger, {}, { limit: 10, bytesMax: 20 << 20 })).toMatchObject({ more: false });
  const { dead_letters: letters, next } = (await more.get('/v1/dead-letters')).body as unknown as Letters;
  expect(letters.map(({ id }) => id)).toEqual(Array.from({ length: 9 }, (_, n) => `C${8 - n}`));
  expect(next).toBeUndefined();
});

test('a dead letter is shown whole only where that is asked for, and a dry run sends nothing', async () => {
  const [, letter] = (await read<Letters>('/v1/dead-letters')).dead_letters;
  const id = String(letter?.dead_letter_id);
  const bare = await read<Wire>(`/v1/dead-letters/${id}`);
  expect(bare).toMatchObject({ detail: 'at: expected a moment', id: 'C2' });
  expect(bare).not.toHaveProperty('value');
  const whole = await read<Wire>(`/v1/dead-letters/${id}?content=true`);
  expect(whole).toMatchObject({ key: 'P1', value: claims(2), headers: [['ce_type', 'claim.submitted']] });
  const asked = { dead_letters: [id, '9-9'], dry_run: true };
  expect((await command('/v1/dead-letters/redrive', asked, 'dry')).body).toEqual({
    ...{ dry_run: true, due: [{ code: 'EVENT_MALFORMED', count: 1 }], foreign: 0, gone: 1 },
    redriven: [{ dead_letter_id: id, place: null, result: 'DUE', code: null }],
  });
  const unsent = await command('/v1/dead-letters/redrive', { dead_letters: [id] }, 'wet');
  expect([unsent.status, unsent.body.detail]).toEqual([503, expect.stringContaining('repeat it')]);
  const bad = await command('/v1/dead-letters/redrive', { dead_letters: ['x'] }, 'bad');
  expect([bad.status, bad.body.issues]).toEqual([
    422,
    [{ path: 'dead_letters.0', problem: 'expected a dead_letter_id' }],
  ]);
});

test('alerts tell of what is held and of fresh dead letters, with the limits of the rules', async () => {
  const { alerts, judged } = await read<{ alerts: Wire[]; judged: string[] }>('/v1/alerts');
  expect(judged).toEqual(expect.arrayContaining(['GongjiQuarantine', 'GongjiDeadLetters', 'GongjiOutboxWaits']));
  expect(judged).not.toContain('GongjiInputLag');
  // The dead letters are hours old by the clock of these reads.
  expect(alerts).toEqual([{ alert: 'GongjiQuarantine', severity: 'page', topic: 'claims', value: 1, over: 0 }]);
  await scene.setAside(claims(9), { code: 'EVENT_CONFLICT', detail: 'd' }, Date.parse('2025-03-10T11:50:00+08:00'));
  const { alerts: later } = await read<{ alerts: Wire[] }>('/v1/alerts');
  expect(later.map(({ alert, value }) => [alert, value])).toEqual([
    ['GongjiQuarantine', 1],
    ['GongjiConflict', 1],
    ['GongjiDeadLetters', 1],
  ]);
});

test('what is held is listed by key, and shown in the order in which it came', async () => {
  const { quarantined } = await read<{ quarantined: Wire[] }>('/v1/quarantine');
  expect(quarantined).toEqual([
    expect.objectContaining({ place: 'claims/0@-1', messages: 2, failed: 'claims/0@-1', failure: 'RangeError' }),
  ]);
  expect(JSON.stringify(quarantined)).not.toContain('P1');
  const { messages } = await read<{ messages: Wire[] }>(`/v1/quarantine/${HELD}`);
  expect(messages.map(({ place, is_work: isWork, id }) => [place, isWork, id])).toEqual([
    ['claims/0@-1', true, null],
    ['claims/0@1041', false, 'C7'],
    ['claims/0@1044', false, 'C8'],
  ]);
  expect((await read<{ messages: Wire[] }>(`/v1/quarantine/${HELD}?content=true`)).messages[1]).toMatchObject({
    ...{ key: 'P1', value: claims(7) },
  });
});

test('without the keys everything is listed but what messages say, and why is told', async () => {
  await using keyless = scene.serve({
    envelopes: null,
    commands: { topics: topicsOf('scene'), send: unsent, sendAgain: unsent, waitMs: 0 },
  });
  await using other = scene.serve({ envelopes: Envelopes.of(newKey()) });
  for (const [without, why] of [
    [keyless, 'sealed: expected GONGJI_ENVELOPE_KEY_FILE to be set'],
    [
      other,
      expect.stringMatching(/^sealed: expected the key [\w-]{16} in the file that GONGJI_ENVELOPE_KEY_FILE names$/),
    ],
  ] as const) {
    const readWithout = async (url: string) => (await scene.get(url, without)).body as Wire & Letters;
    const letters = (await readWithout('/v1/dead-letters?code=EVENT_MALFORMED&key=P1')).dead_letters;
    expect(letters).toHaveLength(3);
    expect(letters[0]).toMatchObject({
      ...{ place: 'claims/0@0', code: 'EVENT_MALFORMED', detail: 'at: expected a moment', type: null, id: null },
      ...{ bytes: claims(2).length, unopened: why },
    });
    const whole = await readWithout(`/v1/dead-letters/${letters[0]?.dead_letter_id}?content=true`);
    expect(whole).toMatchObject({ key: 'P1', value: null, headers: [], unopened: why });
    expect(await readWithout(`/v1/quarantine/${HELD}`)).toMatchObject({
      messages: [{ is_work: true }, { id: null, bytes: claims(7).length, unopened: why }, { unopened: why }],
    });
    expect((await readWithout('/v1/quarantine')).quarantined).toMatchObject([{ messages: 2 }]);
  }
  for (const url of ['/v1/dead-letters?id=C1', '/v1/quarantine?id=C7']) {
    const { status, body } = await scene.get(url, keyless);
    expect([status, body.detail]).toEqual([400, expect.stringContaining('GONGJI_ENVELOPE_KEY_FILE is not set')]);
  }
});

test('what cannot be opened is not sent again, since it would be another message', async () => {
  const sent: unknown[] = [];
  const sendAgain = (message: unknown) => Promise.reject(new Error(String(sent.push(message))));
  await using keyless = scene.serve({
    envelopes: null,
    commands: { topics: topicsOf('scene'), send: unsent, sendAgain, waitMs: 0 },
  });
  const [letter] = (await read<Letters>('/v1/dead-letters')).dead_letters;
  const answer = await keyless.inject({
    ...{ method: 'POST', url: '/v1/dead-letters/redrive', payload: { dead_letters: [letter?.dead_letter_id] } },
    headers: { 'content-type': 'application/json', 'idempotency-key': 'sealed' },
  });
  expect([answer.statusCode, answer.json()]).toEqual([
    200,
    { dry_run: false, due: [], foreign: 0, gone: 0, unopened: 1, redriven: [] },
  ]);
  expect(sent).toEqual([]);
});

test('a dead letter that a version before left in clear is read as before', async () => {
  const old = await Scene.open();
  await old.setAside(claims(5), { code: 'EVENT_MALFORMED', detail: 'd' }, START);
  await old.asOwner(
    `update outcome set payload = convert_to('${claims(5)}', 'UTF8'), stamp = regexp_replace(stamp, '^\\{"sealed":\\d+,', '{"headers":[],')`,
  );
  await using keyless = old.serve({ envelopes: null });
  const { dead_letters: letters } = (await old.get('/v1/dead-letters?code=EVENT_MALFORMED', keyless))
    .body as unknown as Letters;
  expect(letters).toMatchObject([{ id: 'C5', bytes: claims(5).length }]);
  expect(letters[0]).not.toHaveProperty('unopened');
  await old[Symbol.asyncDispose]();
});

test('an id that is none is told in words of its own', async () => {
  const detail = async (url: string) => ((await scene.get(url)).body as { detail: string }).detail;
  expect(await detail('/v1/dead-letters/x')).toBe('dead_letter_id: expected an id as it is listed, such as 3-1042');
  expect(await detail('/v1/quarantine-orders/x')).toBe('order_id: expected an id as an order has it, such as 3-17');
});

test('where nothing is held a dry run is a problem, and an order is kept for its worker to answer', async () => {
  const nowhere = '/v1/quarantine/claims%2F0%40999999';
  const release = (body: object, key: string) => command(`${nowhere}/release`, body, key);
  const drop = (body: object, key: string) => command(`${nowhere}/drop`, { reason: 'issue 17', ...body }, key);
  for (const [n, ask] of [release, drop].entries()) {
    expect((await ask({ dry_run: true }, `nowhere ${n}`)).status).toBe(404);
    expect(await ask({}, `nowhere ${n}`)).toMatchObject({ status: 202, body: { messages: 0, result: null } });
  }
});

test('an order is left once for each key, by whoever may leave it, with a reason that names nobody', async () => {
  const drop = (body: object, key: string, place = HELD) => command(`/v1/quarantine/${place}/drop`, body, key);
  expect((await drop({ reason: 'issue 17', dry_run: true }, 'a')).body).toMatchObject({ order_id: null, messages: 1 });
  for (const reason of ['', ' ', 'of P1', 'of 110105194912310029'])
    expect([reason, (await drop({ reason }, 'a')).status]).toEqual([reason, 422]);
  expect((await drop({ reason: 'r', code: 'CLAIM_LOST' }, 'a')).status).toBe(422);
  expect((await drop({ reason: 'r' }, 'a', 'claims%2F0%40-1')).body.issues).toMatchObject([{ path: 'place' }]);
  const first = await drop({ reason: 'issue 17' }, 'a');
  expect(first).toMatchObject({ status: 202, body: { action: 'DROP', messages: 0, result: null } });
  expect(await drop({ reason: 'issue 17' }, 'a')).toEqual(first);
  expect((await drop({ reason: 'issue 18' }, 'a')).body).toMatchObject({ status: 409, code: 'EVENT_CONFLICT' });
  const released = await command(`/v1/quarantine/${HELD}/release`, {}, 'b');
  expect(released.body.order_id).not.toBe(first.body.order_id);
  expect(await read(`/v1/quarantine-orders/${released.body.order_id}`)).toEqual(released.body);
  const operator = await Ledger.open({ url: scene.url, role: 'gongji_operator', name: 'set-aside' });
  const rows = await operator.rows<Wire>(
    'select action, log_offset, code, reason from quarantine_order where log_offset < 999999 order by order_id',
  );
  await operator.close();
  expect(rows).toEqual([
    { action: 'DROP', log_offset: '1041', code: 'EVENT_UNREADABLE', reason: 'issue 17' },
    // The work that is held before that message, of the same key.
    { action: 'RELEASE', log_offset: '-1', code: null, reason: '' },
  ]);
});

test.for([
  `update quarantine_order set result = 'DONE', ended_at = now()`,
  'delete from quarantined_message',
  `insert into quarantine_order (partition, topic, action, log_offset, ordered_by, reason, messages) values (0, 't', 'RELEASE', 1, 'x', '', 5)`,
  'select from account',
  'select from outcome',
])('the role of operators may not: %s', async (statement) => {
  const operator = await Ledger.open({ url: scene.url, role: 'gongji_operator', name: 'set-aside' });
  await expect(operator.rows(statement)).rejects.toSatisfy((error) => codeOf(error) === '42501');
  await operator.close();
});
