import { Ledger } from '@repo/ledger';
import { testDatabaseUrl } from '@repo/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { account, binding, claim, Scene } from './scene.ts';

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.open();
  await scene.members(
    account('P1', { current_year: '40.00', psn_name: '王小明' }),
    account('P2', { prior_year: '500.00', current_year: '60.00' }),
    account('P3', { current_year: '80.00', unpaid_periods: ['2025-01', '2024-12'] }),
    account('R9', { insutype: '390', prior_year: undefined, current_year: undefined, insured: false }),
    binding('B2', 'P2', { priority: 2, daily_limit: '300', effective_to: '2025-12-31' }),
    binding('B3', 'P3', { priority: 1, relation: 'CHILD', state: 'PAUSED', pause_reasons: ['USER', 'ARREARS'] }),
    binding('B9', 'P2', { beneficiary: 'R9', relation: 'PARENT', state: 'PENDING', authorised_amount: '10' }),
  );
});
afterAll(async () => scene[Symbol.asyncDispose]());

describe('accounts', () => {
  test('every fact of a person is shown, with the portions of the year that is asked for', async () => {
    const { status, body } = await scene.get('/v1/accounts/P2');
    expect(status).toBe(200);
    expect(body).toStrictEqual({
      psn_no: 'P2',
      psn_name: null,
      insutype: '310',
      psn_type: '1101',
      employment: 'ACTIVE',
      insu_admdvs: '420100',
      insured: true,
      status: 'ACTIVE',
      card_active: true,
      employer_enabled: true,
      wallet_open: false,
      prior_year: '500.00',
      current_year: '60.00',
      balance: '560.00',
      in_arrears: false,
      arrears_since: null,
      recovered_on: null,
      unpaid_periods: [],
    });
    const portions = { prior_year: '560.00', current_year: '0.00', balance: '560.00' };
    expect((await scene.get('/v1/accounts/P2?at=2026-01-01T00:00:00%2B08:00')).body).toMatchObject(portions);
    expect((await scene.get('/v1/accounts/P2?at=2025-12-31T15:59:59Z')).body).toMatchObject({ current_year: '60.00' });
    expect((await scene.get('/v1/accounts/P2?at=2024-06-01T00:00:00Z')).body).toMatchObject({ current_year: '60.00' });
  });

  test('an offset whose plus sign came as a space is still an offset', async () => {
    const { status, body } = await scene.get('/v1/accounts/P2?at=2026-01-01T00:00:00+08:00');
    expect({ status, current: body.current_year }).toEqual({ status: 200, current: '0.00' });
  });

  test('arrears are told by what is unpaid, in the order of the months, and name and insurance by what was opened', async () => {
    expect((await scene.get('/v1/accounts/P3')).body).toMatchObject({
      in_arrears: true,
      arrears_since: '2025-01-01',
      unpaid_periods: ['2024-12', '2025-01'],
    });
    expect((await scene.get('/v1/accounts/P3?at=2024-12-31T16:00:00Z')).body).toMatchObject({ in_arrears: true });
    expect((await scene.get('/v1/accounts/P3?at=2024-12-31T15:59:59Z')).body).toMatchObject({ in_arrears: false });
    expect((await scene.get('/v1/accounts/P1')).body).toMatchObject({ psn_name: '王小明' });
  });

  test('a person without an account has no portions, and insurance that ended before the import no first day', async () => {
    expect((await scene.get('/v1/accounts/R9')).body).toMatchObject({
      insured: false,
      prior_year: null,
      current_year: null,
      balance: null,
      in_arrears: true,
      arrears_since: null,
    });
  });
});

describe('bindings', () => {
  test('a binding is shown with the fields it was opened with', async () => {
    const { status, body } = await scene.get('/v1/bindings?payer=P2&beneficiary=P1');
    expect(status).toBe(200);
    expect(body).toStrictEqual({
      bindings: [
        {
          binding_id: 'B2',
          payer: 'P2',
          beneficiary: 'P1',
          relation: 'SPOUSE',
          bound_at: '2025-01-05T09:00:00+08:00',
          type: 'FAMILY_SHARING',
          state: 'ACTIVE',
          pause_reasons: [],
          priority: 2,
          effective_from: '2025-01-05',
          effective_to: '2025-12-31',
          daily_limit: '300.00',
          authorised_amount: null,
          premium_registered: false,
        },
      ],
    });
  });

  test('either person finds their bindings, and a date past the last day makes one expired', async () => {
    const idsOf = async (query: string) =>
      ((await scene.get(`/v1/bindings?${query}`)).body.bindings as { binding_id: string; state: string }[]).map(
        ({ binding_id, state }) => `${binding_id} ${state}`,
      );
    expect(await idsOf('beneficiary=P1')).toEqual(['B2 ACTIVE', 'B3 PAUSED']);
    expect(await idsOf('payer=P2')).toEqual(['B2 ACTIVE', 'B9 PENDING']);
    expect(await idsOf('payer=P2&at=2026-01-01T00:00:00%2B08:00')).toEqual(['B2 EXPIRED', 'B9 PENDING']);
    expect(await idsOf('payer=nobody')).toEqual([]);
    expect(await idsOf('beneficiary=P1&after=B2')).toEqual(['B3 PAUSED']);
  });
});

describe('settlements', () => {
  test('a claim is answered with what was published, its refunds and what is left to refund', async () => {
    const published = await scene.settle('claim.submitted', claim());
    expect((await scene.get('/v1/settlements/C1')).body).toStrictEqual({
      ...published,
      refunds: [],
      refundable: '150.00',
    });
    const first = await scene.settle('claim.refunded', {
      refund_id: 'R1',
      claim_id: 'C1',
      psn_no: 'P1',
      at: '2025-03-11T09:00:00+08:00',
      amount: '120.00',
    });
    const second = await scene.settle('claim.refunded', {
      refund_id: 'R2',
      claim_id: 'C1',
      psn_no: 'P1',
      at: '2025-03-12T09:00:00+08:00',
    });
    expect([first.amount, second.amount]).toEqual(['120.00', '30.00']);
    const { body } = await scene.get('/v1/settlements/C1');
    expect(body).toStrictEqual({ ...published, refunds: [first, second], refundable: '0.00' });
  });

  test('a refused refund is found by its own id and is no part of its claim', async () => {
    const refund = { refund_id: 'R3', claim_id: 'C1', psn_no: 'P1', at: '2025-03-13T09:00:00+08:00', amount: '1.00' };
    const published = await scene.settle('claim.refunded', refund);
    expect(published).toMatchObject({ status: 'REFUSED', code: 'REFUND_EXCEEDS_SETTLED' });
    expect((await scene.get('/v1/refunds/R3')).body).toStrictEqual(published);
    expect((await scene.get('/v1/settlements/C1')).body.refunds).toHaveLength(2);
    expect((await scene.get('/v1/refunds/R4')).status).toBe(404);
  });

  test('a refused claim has nothing to refund, and its id may hold any character', async () => {
    const id = '退费/1?x=%2F #é';
    const published = await scene.settle('claim.submitted', claim({ claim_id: id, designated: false }));
    const { status, body } = await scene.get(`/v1/settlements/${encodeURIComponent(id)}`);
    expect({ status, body }).toStrictEqual({ status: 200, body: { ...published, refunds: [], refundable: '0.00' } });
    expect(body).toMatchObject({ status: 'REFUSED', code: 'INSTITUTION_NOT_DESIGNATED' });
  });

  test('a premium is found by its id, in the same namespace', async () => {
    const premium = { payer: 'P2', beneficiary: 'P1', year: 2025, amount: '400', at: '2025-03-10T11:00:00+08:00' };
    const published = await scene.settle('premium.submitted', { premium_id: 'PR1', ...premium });
    expect(published).toMatchObject({ status: 'SETTLED' });
    expect((await scene.get('/v1/settlements/PR1')).body).toStrictEqual({
      ...published,
      refunds: [],
      refundable: '400.00',
    });
  });
});

describe('what cannot be answered', () => {
  test.each([
    ['an unknown person', '/v1/accounts/nobody', 404, 'no such account'],
    ['an unknown claim', '/v1/settlements/nothing', 404, 'no such settlement'],
    ['an unknown path', '/v1/elsewhere', 404, 'no such resource'],
    ['nobody named', '/v1/bindings', 400, 'payer or beneficiary: expected at least one of them'],
    ['a name given twice', '/v1/bindings?payer=P1&payer=P2', 400, 'payer: expected once'],
    [
      'no date in Shanghai',
      '/v1/accounts/P1?at=9999-12-31T16:00:00Z',
      400,
      'at: expected an ISO 8601 date and time with an offset or Z',
    ],
    ['no instant', '/v1/accounts/P1?at=yesterday', 400, 'at: expected an ISO 8601 date and time with an offset or Z'],
    ['an id too long', `/v1/accounts/${'x'.repeat(201)}`, 400, 'psn_no: expected a text of 1 to 200 characters'],
    ['a path too long', `/v1/accounts/${'x'.repeat(5_000)}`, 400, 'path: expected an id of 1 to 200 characters'],
    ['a path that is no UTF-8', '/v1/accounts/%E0%A4%A', 400, 'expected a well-formed request'],
    ['a character no database takes', '/v1/accounts/a%00b', 400, 'psn_no: expected a text of 1 to 200 characters'],
  ])('%s is told as a problem', async (_case, url, expected, detail) => {
    const { status, type, body } = await scene.get(url);
    expect(type).toMatch(/^application\/problem\+json/);
    expect({ status, body }).toMatchObject({
      status: expected,
      body: { status: expected, detail, type: expect.stringMatching(/^urn:problem-type:gongji:/) },
    });
  });

  test.each([
    ['a database that is away passes', 'postgresql://nobody@127.0.0.1:1/none', 503, '5'],
    ['a database without the schema does not', testDatabaseUrl(), 500, undefined],
  ])('%s, and neither shows anything of itself', async (_case, url, status, retryAfter) => {
    await using stack = new AsyncDisposableStack();
    const ledger = await Ledger.open({ url, name: 'reads' });
    stack.defer(() => ledger.close());
    const api = scene.serve({ ledger });
    stack.defer(() => api.close());
    const answer = await api.inject({ method: 'GET', url: '/v1/accounts/P1' });
    expect({ status: answer.statusCode, retryAfter: answer.headers['retry-after'] }).toEqual({ status, retryAfter });
    expect(answer.body).not.toMatch(/account|127\.0\.0\.1|P1|relation|ECONN/);
  });
});
