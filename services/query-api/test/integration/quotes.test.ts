import { codeOf, Ledger, readSnapshot } from '@repo/ledger';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { account, binding, claim, Scene } from './scene.ts';

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.open();
  await scene.members(
    account('P1', { current_year: '40.00' }),
    account('P2', { current_year: '60.00' }),
    account('P3', { current_year: '500.00' }),
    binding('B2', 'P2', { priority: 1 }),
    binding('B3', 'P3', { priority: 2, relation: 'CHILD', daily_limit: '70.00' }),
  );
});
afterAll(async () => scene[Symbol.asyncDispose]());

const everything = () =>
  scene.rows<object>(`select psn_no, version, prior_year, current_year, (select count(*) from outcome) as outcomes,
    (select count(*) from event_id) as ids, (select count(*) from entry) as entries from account order by psn_no`);

test('a quote is the outcome that then comes, but for the settlement id, and changes nothing', async () => {
  await scene.settle('claim.submitted', claim({ claim_id: 'C0', medfee_sumamt: '215', psn_part_amt: '15' }));
  const before = await everything();
  const { status, body } = await scene.quote(claim());
  expect(status).toBe(200);
  expect(await everything()).toEqual(before);
  const { setl_id, ...settled } = await scene.settle('claim.submitted', claim());
  expect(setl_id).toBe('S-C1');
  expect(body).toStrictEqual(settled);
  expect(body).toMatchObject({ acct_pay: '25.00', acct_mulaid_pay: '125.00', psn_cash_pay: '0.00' });
});

test('a daily limit counts what the day has used', async () => {
  const { body } = await scene.quote(claim({ claim_id: 'C2' }));
  expect(body).toMatchObject({ acct_mulaid_pay: '5.00', psn_cash_pay: '145.00' });
  const tomorrow = await scene.quote(claim({ claim_id: 'C2', setl_time: '2025-03-11T00:00:00+08:00' }));
  expect(tomorrow.body).toMatchObject({ acct_mulaid_pay: '70.00', psn_cash_pay: '80.00' });
});

test('a claim that was settled is quoted as it was settled, and its id with other content is a conflict', async () => {
  const again = await scene.quote(claim({ psn_part_amt: 150.0, acct_used_flag: '1' }));
  expect(again.body).toMatchObject({ acct_pay: '25.00', acct_mulaid_pay: '125.00' });
  const { status, type, body } = await scene.quote(claim({ mdtrt_id: 'other' }));
  expect(type).toMatch(/^application\/problem\+json/);
  expect({ status, code: body.code }).toEqual({ status: 422, code: 'CLAIM_DUPLICATE_CONFLICT' });
});

test('a refusal is an answer', async () => {
  const { status, body } = await scene.quote(claim({ claim_id: 'C3', psn_no: 'stranger' }));
  expect({ status, state: body.status, code: body.code }).toEqual({
    status: 200,
    state: 'REFUSED',
    code: 'BENEFICIARY_UNKNOWN',
  });
});

test.each([
  ['no object', '[]', 'EVENT_UNREADABLE', ''],
  ['no JSON', '{', 'EVENT_UNREADABLE', ''],
  ['a missing field', claim({ psn_no: undefined }), 'CLAIM_MALFORMED', 'psn_no'],
  ['an amount with three decimals', claim({ psn_part_amt: '1.005' }), 'CLAIM_AMOUNT_INVALID', 'psn_part_amt'],
  ['a number that a float would change', '{"medfee_sumamt":0.1e1}', 'CLAIM_MALFORMED', 'claim_id'],
  ['parts that do not add up', claim({ psn_part_amt: '151' }), 'CLAIM_IDENTITY_VIOLATION', 'medfee_sumamt'],
  ['a moment too far ahead', claim({ setl_time: '2027-01-01T00:00:00Z' }), 'CLAIM_MALFORMED', 'setl_time'],
])('%s is answered with the code and what was expected', async (_case, body, code, path) => {
  const answer = await scene.quote(body);
  expect(answer.type).toMatch(/^application\/problem\+json/);
  expect({ status: answer.status, code: answer.body.code }).toEqual({ status: 422, code });
  expect(answer.body.issues).toContainEqual({ path, problem: expect.stringMatching(/^expected /) });
});

test('a body too large or of another kind is refused before it is read', async () => {
  const large = await scene.quote(`{"x":"${'x'.repeat(1_100_000)}"}`);
  expect({ status: large.status, detail: large.body.detail }).toEqual({
    status: 413,
    detail: 'body: expected at most 1048576 bytes',
  });
  const headers = { 'content-type': 'text/plain' };
  const other = await scene.api.inject({ method: 'POST', url: '/v1/quotes', payload: 'x', headers });
  expect({ status: other.statusCode, detail: other.json().detail }).toEqual({
    status: 415,
    detail: 'content-type: expected application/json',
  });
});

test('neither the role nor the transaction of a quote can write', async () => {
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => 'written',
      (error: unknown) => codeOf(error),
    );
  await using stack = new AsyncDisposableStack();
  const open = async (role: 'gongji_reader' | 'gongji_worker') => {
    const ledger = await Ledger.open({ url: scene.url, role, name: 'quotes' });
    stack.defer(() => ledger.close());
    return ledger;
  };
  const write = `update account set card_active = false where psn_no = 'P1'`;
  expect(await failure((await open('gongji_reader')).rows(write))).toBe('42501');
  expect(await failure(readSnapshot(await open('gongji_worker'), (snapshot) => snapshot.rows(write, [])))).toBe(
    '25006',
  );
});
