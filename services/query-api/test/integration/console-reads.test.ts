import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { account, binding, claim, policiesWith, Scene } from './scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.open();
  await scene.members(
    account('P1', { current_year: '40.00' }),
    account('P2', { prior_year: '60.00' }),
    account('P3', { status: 'FROZEN', prior_year: '9.00' }),
    account('P9'),
    binding('B2', 'P2', { priority: 1 }),
    binding('B3', 'P3', { priority: 2, state: 'PAUSED', pause_reasons: ['USER'] }),
  );
  await scene.settle('claim.submitted', claim());
  await scene.settle(
    'claim.submitted',
    claim({ claim_id: 'C2', designated: false, setl_time: '2025-03-10T23:30:00+08:00' }),
  );
  await scene.settle('claim.submitted', claim({ claim_id: 'C3', psn_no: 'P9' }));
  await scene.settle('claim.submitted', claim({ claim_id: 'C4', setl_time: '2025-03-11T00:10:00+08:00' }));
  await scene.settle('claim.refunded', {
    refund_id: 'R1',
    claim_id: 'C1',
    psn_no: 'P1',
    at: '2025-03-11T09:00:00+08:00',
    amount: '60.00',
  });
});
afterAll(async () => scene[Symbol.asyncDispose]());

test('everything published about a person is listed from their number, the last first, cash and refusals too', async () => {
  const { body } = await scene.get('/v1/settlements?psn_no=P1');
  const rows = body.settlements as Record<string, string>[];
  expect(
    rows.map(({ kind, claim_id, refund_id, status, psn_cash_pay }) => [
      kind,
      claim_id,
      refund_id,
      status,
      psn_cash_pay,
    ]),
  ).toEqual([
    ['REFUND', 'C1', 'R1', 'REFUNDED', '-50.00'],
    ['CLAIM', 'C4', null, 'SETTLED', '150.00'],
    ['CLAIM', 'C2', null, 'REFUSED', '150.00'],
    ['CLAIM', 'C1', null, 'SETTLED', '50.00'],
  ]);
  expect(body).not.toHaveProperty('next');
  expect((await scene.get('/v1/settlements?psn_no=P2')).body).toEqual({ settlements: [] });
});

test('the other side’s totals are held against those of the day, by the columns that its file has', async () => {
  const compare = async (csv: string) =>
    (
      await scene.api.inject({
        ...{ method: 'POST', url: '/v1/reconciliation/compare?day=2025-03-10', payload: csv },
        headers: { 'content-type': 'text/csv' },
      })
    ).json();
  const { body } = await scene.get('/v1/reconciliation?day=2025-03-10');
  const totals = body.totals as Record<string, string | number>[];
  const names = Object.keys(totals[0] ?? {});
  const theirs = [names, ...totals.map((total) => names.map((name) => total[name]))].map(String).join('\n');
  const none = ['MISSING_HERE', 'MISSING_THERE', 'AMOUNT_DIFFERS'].map((kind) => ({ kind, count: 0 }));
  expect(names).toHaveLength(9);
  const alike = { of: 'TOTALS', compared: totals.length, same: totals.length, kinds: none, differences: [] };
  expect(await compare(theirs)).toMatchObject(alike);
  const count = totals.reduce((sum, { fixmedins_setl_cnt: settled }) => sum + Number(settled), 0);
  const where = { fixmedins_code: 'H33010600001' };
  const differing = await compare(
    `fixmedins_code,acct_mulaid_pay,fixmedins_setl_cnt\nH33010600001,1.00,${count}\nH9,5.00,1\n`,
  );
  expect(differing).toMatchObject({ of: 'TOTALS', compared: 2, same: 0 });
  expect(differing.differences).toEqual([
    { kind: 'MISSING_HERE', fixmedins_code: 'H9', column: null, here: null, there: null },
    { kind: 'AMOUNT_DIFFERS', ...where, column: 'acct_mulaid_pay', here: '60.00', there: '1.00' },
  ]);
  const counted = await compare(`fixmedins_code,fixmedins_setl_cnt\nH33010600001,${count + 1}\n`);
  expect(counted.differences).toEqual([
    { kind: 'AMOUNT_DIFFERS', ...where, column: 'fixmedins_setl_cnt', here: count, there: count + 1 },
  ]);
});

test('a long list comes in pages, none twice and none left out', async () => {
  for (let n = 0; n < 101; n += 1) {
    await scene.settle(
      'claim.submitted',
      claim({ claim_id: `L${n}`, psn_no: 'P9', setl_time: '2025-02-01T10:00:00+08:00' }),
    );
  }
  const first = (await scene.get('/v1/settlements?psn_no=P9')).body as {
    settlements: { claim_id: string }[];
    next: string;
  };
  expect(first.settlements.map(({ claim_id }) => claim_id)).toEqual(
    Array.from({ length: 100 }, (_, n) => `L${100 - n}`),
  );
  const { body } = await scene.get(`/v1/settlements?psn_no=P9&after=${first.next}`);
  expect(body).toEqual({
    settlements: [expect.objectContaining({ claim_id: 'L0' }), expect.objectContaining({ claim_id: 'C3' })],
  });
});

test('checks for missed contributions come in pages, the last begun first, each once, those begun together by their ids', async () => {
  // Two shards of each: the first of them that began counts. C100 and C101 began together.
  await scene.rows(
    `insert into arrears_check (partition, check_id, on_day, checked, marked, started_at)
     select shard, format('C%s', n), '2025-03-10', n, 0, timestamptz '2025-03-10' + least(n, 100) * interval '1 hour' + shard * interval '5 hours'
     from generate_series(1, 102) as n, generate_series(0, 1) as shard`,
  );
  type Page = {
    readonly checks: readonly { check_id: string; shards: number; checked: number }[];
    readonly next?: string;
  };
  const first = (await scene.get('/v1/arrears-checks')).body as unknown as Page;
  const earlier = Array.from({ length: 99 }, (_, n) => `C${99 - n}`);
  expect(first.checks.map(({ check_id }) => check_id)).toEqual(['C100', 'C101', 'C102', ...earlier.slice(0, 97)]);
  expect(first.checks[3]).toMatchObject({ shards: 2, checked: 198 });
  const { body } = await scene.get(`/v1/arrears-checks?after=${first.next}`);
  expect(body).toEqual({
    checks: [expect.objectContaining({ check_id: 'C2' }), expect.objectContaining({ check_id: 'C1' })],
  });
  const together = (await scene.get('/v1/arrears-checks?after=C101')).body as unknown as Page;
  expect(together.checks.slice(0, 2).map(({ check_id }) => check_id)).toEqual(['C102', 'C99']);
  expect((await scene.get('/v1/arrears-checks?after=nobody')).body).toEqual({ checks: [] });
  expect((await scene.get('/v1/arrears-checks?after=C1&after=C2')).status).toBe(400);
});

test('a person’s outcomes are found by way of the index, which leaves out most of the table', async () => {
  const plan = await scene.rows<Record<string, string>>(
    `explain select seq from all_outcome where key = convert_to('P1', 'UTF8')`,
  );
  expect(JSON.stringify(plan)).toMatch(/Bitmap Index Scan on outcome_\d{4}_\d\d_key_idx/);
});

test('the sums of a day are those of its settlements by their date in Shanghai, and say why accounts paid nothing', async () => {
  const { body } = await scene.get('/v1/totals?day=2025-03-10');
  expect(body).toMatchObject({
    day: '2025-03-10',
    days: ['2025-03-11', '2025-03-10', '2025-02-01'],
    complete: true,
    statuses: [
      { status: 'SETTLED', count: 2 },
      { status: 'REFUSED', count: 1 },
    ],
    psn_part_amt: '450.00',
    acct_pay: '40.00',
    acct_mulaid_pay: '60.00',
    psn_cash_pay: '350.00',
    refunded: '0.00',
    refused: [{ code: 'INSTITUTION_NOT_DESIGNATED', count: 1 }],
    skipped: [
      { code: 'OWN_ZERO_BALANCE', count: 1 },
      { code: 'PAYER_ACCOUNT_FROZEN', count: 1 },
    ],
    hours: [
      { hour: 10, claims: 2, acct_pay: '40.00', acct_mulaid_pay: '60.00', psn_cash_pay: '200.00' },
      { hour: 23, claims: 1, psn_cash_pay: '150.00' },
    ],
  });
  expect((await scene.get('/v1/totals?day=2025-03-11')).body).toMatchObject({
    refunded: '60.00',
    psn_cash_pay: '150.00',
  });
  expect((await scene.get('/v1/totals?day=1999-01-01')).body).toMatchObject({
    statuses: [],
    psn_part_amt: '0.00',
    hours: [],
  });
});

test('an outcome that comes later is counted once, by the next who asks', async () => {
  const before = (await scene.get('/v1/totals?day=2025-03-12')).body;
  expect(before).toMatchObject({ statuses: [] });
  await scene.settle('claim.submitted', claim({ claim_id: 'C9', setl_time: '2025-03-12T08:00:00+08:00' }));
  await scene.get('/v1/totals');
  expect((await scene.get('/v1/totals?day=2025-03-12')).body).toMatchObject({
    statuses: [{ status: 'SETTLED', count: 1 }],
  });
});

test('the moment shows how much was answered, what is not yet published, and who is paused', async () => {
  const { body } = await scene.get('/v1/live');
  expect(body).toMatchObject({ paused_payers: 1, waiting: null, latency: null });
  expect(body.paused).toContainEqual({ reason: 'USER', bindings: 1 });
  const [shard] = await scene.rows<{ out_seq: string }>('select out_seq from shard');
  expect(body).toMatchObject({ answered: Number(shard?.out_seq), unpublished: Number(shard?.out_seq) });
});

test('the rules of an area on two dates stand side by side, and what differs is marked', async () => {
  const { body } = await scene.get('/v1/policies/420106?on=2024-11-30&other=2024-12-01');
  const parameters = body.parameters as { parameter: string; differs: boolean; value: unknown; other: unknown }[];
  expect(parameters.find(({ parameter }) => parameter === 'allowedRelations')).toMatchObject({
    differs: true,
    value: ['SPOUSE', 'PARENT', 'CHILD'],
    set_by: '000000 always',
  });
  expect(parameters.find(({ parameter }) => parameter === 'minRemaining')).toMatchObject({
    differs: false,
    other: '0.00',
  });
  const listed = (await scene.get('/v1/policies')).body;
  expect(listed.changes).toContain('2024-12-01');
});

test('the rules of two areas stand side by side, and an area’s own changes name what changed', async () => {
  const { body } = await scene.get('/v1/policies/420106?on=2025-03-10&other_area=330106');
  expect(body).toMatchObject({
    rules: { area: '420106', region: '420000', on: '2025-03-10' },
    other: { area: '330106', region: '330000', on: '2025-03-10' },
  });
  const parameters = body.parameters as { parameter: string }[];
  expect(parameters.find(({ parameter }) => parameter === 'sharablePortion')).toMatchObject({
    differs: true,
    value: 'TOTAL',
    other: 'PRIOR_YEAR_AUTHORISED',
    other_set_by: '330000 2024-12-01',
  });
  const changes = body.changes as { on: string; parameters: string[] }[];
  expect(changes.map(({ on }) => on)).toEqual(['2024-12-01']);
  expect(changes[0]?.parameters).toContain('memberScope');
  const elsewhere = (await scene.get('/v1/policies/500000')).body.changes as typeof changes;
  expect(elsewhere.at(-1)).toEqual({ on: '2025-09-20', parameters: ['premiumRelations'] });
  expect((await scene.get('/v1/policies/420106?other_area=42')).status).toBe(400);
});

test('a pack may be in force from the first date there is to the last', async () => {
  const pack = { regionCode: '420106', effectiveFrom: '0001-01-01', effectiveTo: '9999-12-31', minRemaining: '1.00' };
  const api = scene.serve({ policies: await policiesWith(pack) });
  onTestFinished(() => api.close());
  const answer = await api.inject('/v1/policies/420106');
  expect([answer.statusCode, answer.json().rules.region]).toEqual([200, '420106']);
  expect((answer.json().changes as { on: string }[]).map(({ on }) => on)).toEqual(['2024-12-01']);
  const { packs, changes } = (await api.inject('/v1/policies')).json();
  expect(packs).toContainEqual({ region: '420106', from: '0001-01-01', to: '9999-12-31' });
  expect(changes).toEqual((await scene.get('/v1/policies')).body.changes);
});
