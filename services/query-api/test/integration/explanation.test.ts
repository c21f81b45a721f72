import { withNhsa } from '@repo/contracts';
import { money } from '@repo/domain';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { account, binding, claim, policiesWith, Scene } from './scene.ts';

const PACK = {
  regionCode: '510000',
  effectiveFrom: '2025-01-01',
  effectiveTo: null,
  extends: 'T6000',
  dailyLimitDefault: '500.00',
  allowedRelations: ['SPOUSE', 'CHILD', 'PARENT'],
};
const IN_510100 = { insu_admdvs: '510100' };

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.open({ policies: await policiesWith(PACK) });
  await scene.members(
    account('P1', { ...IN_510100, current_year: '40.00' }),
    account('P2', { ...IN_510100, prior_year: '7000.00' }),
    account('P3', { ...IN_510100, prior_year: '6000.00' }),
    account('P4', { ...IN_510100, prior_year: '8000.00', unpaid_periods: ['2025-01'] }),
    account('P5', { ...IN_510100, prior_year: '9000.00', status: 'CLOSED' }),
    binding('B4', 'P4', { priority: 1, relation: 'PARENT' }),
    binding('B3', 'P3', { priority: 2, relation: 'CHILD' }),
    binding('B2', 'P2', { priority: 3, relation: 'SPOUSE' }),
    binding('B5', 'P5', { priority: 4, relation: 'SIBLING' }),
  );
});
afterAll(async () => scene[Symbol.asyncDispose]());

const bill = { fix_blng_admdvs: '510104', medfee_sumamt: '800.00', fund_pay_sumamt: '100.00', psn_part_amt: '700.00' };

describe('a claim that several accounts were asked for', () => {
  let published: Readonly<Record<string, unknown>>;
  beforeAll(async () => {
    published = await scene.settle('claim.submitted', claim(bill));
    await scene.settle('claim.refunded', {
      refund_id: 'R1',
      claim_id: 'C1',
      psn_no: 'P1',
      at: '2025-03-11T09:00:00+08:00',
      amount: '300',
    });
  });

  test('is told in Chinese source by source in the order asked, with the rule and value that decided', async () => {
    const { status, body } = await scene.get('/v1/settlements/C1/explanation');
    expect(status).toBe(200);
    expect(body.sentences).toEqual([
      '本次医疗费总额800.00元，其中医保基金支付100.00元，个人负担700.00元。',
      '您本人的个人账户支付了40.00元，这是该账户本次可以支付的全部金额。',
      '您子女的个人账户没有支付：共济人目前中断缴费，共济功能已经暂停，补缴之后可以恢复。按系统默认规则，“中断缴费暂停共济”为：是。',
      '您父母的个人账户没有支付：共济人账户的可共济余额没有超过参保地规定的起用标准，本次不能使用。按T6000地区的规定，“共济起用余额(须超过)”为：6000.00元。',
      '您配偶的个人账户支付了500.00元，这是该账户本次可以支付的全部金额。',
      '您兄弟姐妹的个人账户没有支付：按共济人参保地的规定，这种亲属关系不在家庭共济的范围之内。按510000地区2025年1月1日起执行的规定，“可共济的亲属”为：配偶、父母、子女。',
      '其余160.00元由个人以现金支付。',
      '2025年3月11日退费300.00元。',
      '退回现金160.00元。',
      '退回您配偶的个人账户140.00元。',
    ]);
    const policy = (published.policy as object[])[0];
    expect(body.steps).toMatchObject([
      { source: 'OWN', account: 'P1', amount: '40.00', policy },
      { source: 'RELATIVE', account: 'P4', binding_id: 'B4', relation: 'PARENT', code: 'PAYER_IN_ARREARS' },
      {
        source: 'RELATIVE',
        binding_id: 'B3',
        code: 'BELOW_SHARE_THRESHOLD',
        policy: { ...policy, parameter: 'shareThreshold', value: '6000.00' },
      },
      { source: 'RELATIVE', binding_id: 'B2', amount: '500.00', policy },
      { source: 'RELATIVE', binding_id: 'B5', policy: { ...policy, parameter: 'allowedRelations' } },
      { source: 'CASH', amount: '160.00' },
    ]);
  });

  test('is told in English', async () => {
    const { body } = await scene.get('/v1/settlements/C1/explanation?lang=en');
    expect(body.sentences).toEqual([
      'The total fee is 800.00 yuan: the insurance fund pays 100.00 yuan, and the personal share is 700.00 yuan.',
      'Your own account paid 40.00 yuan, which is all it could pay this time.',
      'Your child’s account paid nothing: The payer’s contributions are in arrears, so sharing is paused; it can resume after they are made up. By the default rules, sharing pauses while the payer is in arrears: yes.',
      'Your parent’s account paid nothing: The sharable balance of the payer’s account is not above the amount from which their region allows sharing. By the rules of region T6000, the sharable balance must be more than this: 6000.00 yuan.',
      'Your spouse’s account paid 500.00 yuan, which is all it could pay this time.',
      'Your brother or sister’s account paid nothing: By the rules of the payer’s insured area, this kind of relative is not within family sharing. By the rules of region 510000 in force since 1 January 2025, the relatives a payer may pay for: spouse, parents, children.',
      'The remaining 160.00 yuan is paid in cash.',
      'On 11 March 2025, 300.00 yuan was refunded.',
      '160.00 yuan was given back in cash.',
      '140.00 yuan went back to your spouse’s account.',
    ]);
  });

  test('tells nobody how much money a payer has', async () => {
    for (const url of ['/v1/settlements/C1/explanation', '/v1/settlements/C1/explanation?lang=en']) {
      const text = JSON.stringify((await scene.get(url)).body);
      for (const balance of ['7000.00', '6500.00', '6640.00', '8000.00', '9000.00'])
        expect(text).not.toContain(balance);
    }
  });

  test('is told without values once its rules are no longer loaded, and says so', async () => {
    const other = scene.serve({ policies: await policiesWith({ ...PACK, arrearsGraceDays: 9 }) });
    const { body } = await scene.get('/v1/settlements/C1/explanation?lang=en', other);
    const [{ region, version }] = published.policy as [{ region: string; version: string }];
    const gone = `The rules that applied at the time (area ${region}, version ${version}) are no longer loaded, so their values cannot be told.`;
    expect((body.sentences as string[]).at(-1)).toBe(gone);
    expect((body.sentences as string[])[3]).toMatch(/allows sharing\.$/);
    expect((body.steps as object[])[2]).toMatchObject({ policy: { region, version } });
    await other.close();
  });
});

describe('what has changed since', () => {
  /** One relative pays in full what the limit allows, and each of the two others has a reason of its own and rules of its own. */
  const family = (id: string, order: readonly [number, number, number]) => [
    account(`${id}1`, { ...IN_510100, current_year: '10.00' }),
    account(`${id}2`, { ...IN_510100, prior_year: '9999.00' }),
    account(`${id}3`, { prior_year: '9999.00' }),
    account(`${id}4`, { ...IN_510100, prior_year: '9999.00' }),
    ...[2, 3, 4].map((n, i) =>
      binding(`${id}B${n}`, `${id}${n}`, {
        beneficiary: `${id}1`,
        priority: order[i],
        relation: ['SPOUSE', 'CHILD', 'PARENT'][i],
        ...(n === 4 && { daily_limit: '0.00' }),
      }),
    ),
  ];
  const explanation = async (id: string) => (await scene.get(`/v1/settlements/${id}/explanation`)).body;

  test.each([
    ['M', [1, 2, 3]],
    ['N', [2, 1, 3]],
    ['O', [3, 2, 1]],
    ['Q', [2, 3, 1]],
  ] as const)(
    'an order, a limit or an area changes nothing in what is told of an earlier claim (%s)',
    async (id, order) => {
      await scene.members(...family(id, order));
      await scene.settle('claim.submitted', claim({ ...bill, claim_id: `C${id}`, psn_no: `${id}1` }));
      const before = await explanation(`C${id}`);
      const told = before.steps as { binding_id?: string; policy?: { region: string; parameter?: string } }[];
      const inOrder = [2, 3, 4].toSorted((a, b) => (order[a - 2] ?? 0) - (order[b - 2] ?? 0));
      expect(told.flatMap((step) => step.binding_id ?? [])).toEqual(inOrder.map((n) => `${id}B${n}`));
      const policyOf = (n: number) => told.find(({ binding_id }) => binding_id === `${id}B${n}`)?.policy;
      expect(policyOf(3)).toMatchObject({ region: '420100', parameter: 'memberScope' });
      expect([policyOf(2), policyOf(4)]).toMatchObject([{ region: '510100' }, { region: '510100' }]);
      expect(policyOf(4)).not.toHaveProperty('parameter');

      for (const n of [2, 3, 4]) {
        await scene.change(`${id}B${n}`, `${id}${n}`, {
          priority: 10 - (order[n - 2] ?? 0),
          dailyLimit: n === 4 ? null : money('1.00'),
        });
      }
      await scene.rows(`update account set insu_admdvs = '330106' where psn_no in ('${id}2', '${id}3', '${id}4')`);
      expect(await explanation(`C${id}`)).toEqual(before);
    },
  );

  test('a premium is told by the rules it was decided by', async () => {
    await scene.members(...family('V', [1, 2, 3]));
    const premium = { payer: 'V2', beneficiary: 'V1', year: 2025, amount: '400', at: '2025-03-10T11:00:00+08:00' };
    await scene.settle('premium.submitted', { ...premium, premium_id: 'PRV' });
    const before = await explanation('PRV');
    expect(before.steps).toMatchObject([{ amount: '400.00', policy: { region: '510100' } }]);
    await scene.rows(`update account set insu_admdvs = '330106' where psn_no = 'V2'`);
    expect(await explanation('PRV')).toEqual(before);
  });
});

describe('other outcomes', () => {
  const sentences = async (id: string, lang = 'zh') =>
    (await scene.get(`/v1/settlements/${id}/explanation?lang=${lang}`)).body.sentences;

  test('a refused claim is told by the rule that refused it', async () => {
    await scene.settle('claim.submitted', claim({ ...bill, claim_id: 'C2', purpose: 'FITNESS' }));
    expect(await sentences('C2')).toEqual([
      '本次医疗费总额800.00元，其中医保基金支付100.00元，个人负担700.00元。',
      '按参保地规定，这类用途不属于个人账户的支付范围，个人负担部分需要全部以现金支付。按系统默认规则，“个人账户不予支付的用途”为：公共卫生、体育健身、养生保健。',
      '应付700.00元由个人以现金支付。',
    ]);
  });

  test('a limit of the region is told with its value, a limit of the binding without one', async () => {
    await scene.settle('claim.submitted', claim({ ...bill, claim_id: 'C5' }));
    await scene.settle('claim.submitted', claim({ ...bill, claim_id: 'C6' }));
    const step = async (id: string) =>
      ((await scene.get(`/v1/settlements/${id}/explanation`)).body.steps as { binding_id?: string }[]).find(
        ({ binding_id }) => binding_id === 'B2',
      );
    expect(await step('C5')).toMatchObject({ amount: '140.00' });
    expect(await step('C6')).toMatchObject({
      code: 'DAILY_LIMIT_REACHED',
      sentence:
        '您配偶的个人账户没有支付：这一共济关系当天或者本次结算可以支付的限额已经用完。按510000地区2025年1月1日起执行的规定，“默认日限额”为：500.00元。',
      policy: { parameter: 'dailyLimitDefault', value: '500.00' },
    });
    await scene.members(
      account('K1', { ...IN_510100 }),
      account('K2', { ...IN_510100, prior_year: '9999.00' }),
      binding('BK', 'K2', { beneficiary: 'K1', daily_limit: '0.00' }),
    );
    await scene.settle('claim.submitted', claim({ ...bill, claim_id: 'C7', psn_no: 'K1' }));
    const { body } = await scene.get('/v1/settlements/C7/explanation?lang=en');
    expect(body.sentences).toContain(
      'Your spouse’s account paid nothing: What this sharing relation may pay on that day, or towards one claim, has been used up.',
    );
  });

  test('a patient nobody knows is told without rules', async () => {
    await scene.settle('claim.submitted', claim({ ...bill, claim_id: 'C3', psn_no: 'stranger' }));
    expect(await sentences('C3', 'en')).toContain(
      'The patient is not known to this system, so the whole personal share is to be paid in cash.',
    );
  });

  test('nothing to pay is told as that', async () => {
    const free = { medfee_sumamt: '100.00', fund_pay_sumamt: '100.00', psn_part_amt: '0.00' };
    await scene.settle('claim.submitted', claim({ ...bill, ...free, claim_id: 'C4' }));
    expect(await sentences('C4')).toEqual([
      '本次医疗费总额100.00元，其中医保基金支付100.00元，个人负担0.00元。',
      '本次没有需要个人负担的费用。',
    ]);
  });

  test('a premium is told as paid in full, or by what stood in its way', async () => {
    const premium = { payer: 'P2', beneficiary: 'P1', at: '2025-03-10T11:00:00+08:00' };
    await scene.settle('premium.submitted', { ...premium, premium_id: 'PR1', year: 2025, amount: '400' });
    await scene.settle('premium.submitted', { ...premium, premium_id: 'PR2', year: 2025, amount: '401' });
    expect(await sentences('PR1')).toEqual([
      '申请用共济人的个人账户代缴2025年度城乡居民医保400.00元。',
      '共济人的个人账户已经全额支付400.00元。',
    ]);
    expect(await sentences('PR2', 'en')).toEqual([
      'The payer’s account was asked to pay the resident premium of 2025, 401.00 yuan.',
      'Nothing was paid: The amount is not one of the resident premiums published for that year. By the national rules in force since 1 December 2024, the amounts a resident may be charged per year; a year not listed takes any amount: 380.00 yuan in 2024, 400.00 yuan in 2025.',
    ]);
  });

  interface Facts {
    readonly area: string;
    readonly relation: string;
    readonly prior_year: string;
    readonly authorised_amount?: string;
    readonly year?: number;
    readonly amount?: string;
  }

  test.each([
    [
      'the relations of premiums',
      { area: '500101', relation: 'SIBLING', prior_year: '5000.00' },
      { parameter: 'premiumRelations', value: ['SPOUSE', 'PARENT', 'CHILD'] },
      '没有代缴：按共济人参保地的规定，不能为这种亲属代缴居民医保。按500000地区的规定，“可代缴的亲属”为：配偶、父母、子女。',
      'Nothing was paid: By the rules of the payer’s insured area, the resident premium of this kind of relative cannot be paid. By the rules of region 500000, the relatives whose resident premium a payer may pay: spouse, parents, children.',
    ],
    [
      'the relations of sharing where a region sets none for premiums',
      { area: '330106', relation: 'SIBLING', prior_year: '5000.00', authorised_amount: '900.00' },
      { parameter: 'premiumRelations', value: ['SPOUSE', 'PARENT', 'CHILD'] },
      '没有代缴：按共济人参保地的规定，不能为这种亲属代缴居民医保。按330000地区2024年12月1日起执行的规定，“可共济的亲属”以及“可代缴的亲属”为：配偶、父母、子女。',
      'Nothing was paid: By the rules of the payer’s insured area, the resident premium of this kind of relative cannot be paid. By the rules of region 330000 in force since 1 December 2024, the relatives a payer may pay for, and so the relatives whose resident premium a payer may pay: spouse, parents, children.',
    ],
    [
      'the balance or the authorised amount',
      { area: '330106', relation: 'SPOUSE', prior_year: '5000.00', authorised_amount: '100.00' },
      { parameter: 'sharablePortion', value: 'PRIOR_YEAR_AUTHORISED' },
      '没有代缴：共济人账户中可以支付的余额，或者共济人授权的额度，不足以支付这笔保费，代缴只能全额支付。按330000地区2024年12月1日起执行的规定，“可共济的账户部分”为：历年余额中经授权的金额。',
      'Nothing was paid: What may be paid from the payer’s balance, or what is left of the amount the payer authorised, is not enough for this premium, which is paid in full or not at all. By the rules of region 330000 in force since 1 December 2024, the part of a payer’s account that may be shared: the authorised part of the balance of earlier years.',
    ],
    [
      'what must remain',
      { area: '510100', relation: 'SPOUSE', prior_year: '6000.01', year: 2030, amount: '3000.02' },
      { parameter: 'minRemaining', value: '3000.00' },
      '没有代缴：共济人账户可以使用的金额不足以支付这笔保费，代缴只能全额支付。按T6000地区的规定，“支付后最低结余”为：3000.00元。',
      'Nothing was paid: What the payer’s account may pay is not enough for this premium, which is paid in full or not at all. By the rules of region T6000, the sharable balance that must be left after paying: 3000.00 yuan.',
    ],
    [
      'the balance alone',
      { area: '420100', relation: 'SPOUSE', prior_year: '300.00' },
      { parameter: 'sharablePortion', value: 'TOTAL' },
      '没有代缴：共济人账户的可共济余额不足以支付这笔保费，代缴只能全额支付。按系统默认规则，“可共济的账户部分”为：全部余额。',
      'Nothing was paid: The sharable balance of the payer’s account is not enough for this premium, which is paid in full or not at all. By the default rules, the part of a payer’s account that may be shared: the whole balance.',
    ],
  ])('a refused premium is told by %s', async (why, facts, policy, zh, en) => {
    const { area, relation, prior_year, authorised_amount = null, year = 2025, amount = '400.00' } = facts as Facts;
    const [payer, beneficiary] = [`${why} 1`, `${why} 2`];
    await scene.members(
      account(payer, { insu_admdvs: area, prior_year }),
      account(beneficiary, { insu_admdvs: area }),
      binding(why, payer, { beneficiary, relation, authorised_amount }),
    );
    const at = '2025-03-01T10:00:00+08:00';
    await scene.settle('premium.submitted', { premium_id: why, payer, beneficiary, year, amount, at });
    const id = encodeURIComponent(why);
    const { body } = await scene.get(`/v1/settlements/${id}/explanation`);
    expect((body.sentences as string[]).at(-1)).toBe(zh);
    expect(body.steps).toMatchObject([{ policy }]);
    expect(await sentences(id, 'en')).toContain(en);
  });

  test('a language nobody speaks here is a problem that names the languages', async () => {
    const { status, body } = await scene.get('/v1/settlements/C1/explanation?lang=fr');
    expect({ status, detail: body.detail }).toEqual({ status: 400, detail: 'lang: expected one of zh, en' });
  });
});

test('the NHSA form follows the flags of the patient’s region', async () => {
  const plain = { fund_pay_sumamt: '100.00', acct_pay: '40.00', acct_mulaid_pay: '500.00', psn_cash_pay: '160.00' };
  const { body } = await scene.get('/v1/settlements/C1?form=nhsa');
  expect(body).toMatchObject({ infno: '2207', setlinfo: { ...plain, setl_id: 'S-C1', refd_setl_flag: '0' } });
  expect((await scene.get('/v1/settlements/PR1?form=nhsa')).status).toBe(400);
  const other = scene.serve({ policies: await policiesWith({ ...PACK, nhsaAcctPayIncludesMulaid: true }) });
  expect((await scene.get('/v1/settlements/C1?form=nhsa', other)).status).toBe(409);
  await other.close();
});

test('the NHSA form is the one that was published, where it was, and a quote shows none', async () => {
  const bills = claim({ ...bill, claim_id: 'C9' });
  const flags = { nhsaAcctPayIncludesMulaid: true, nhsaFundIncludesAcct: true };
  const { nhsa, ...plain } = await scene.settle('claim.submitted', bills, (outgoing) => withNhsa(outgoing, flags));
  expect((await scene.get('/v1/settlements/C9?form=nhsa')).body).toStrictEqual(nhsa);
  expect((await scene.get('/v1/settlements/C9')).body).toMatchObject({ ...plain, nhsa });
  const { setl_id, ...quoted } = plain;
  expect((await scene.quote(bills)).body).toStrictEqual(quoted);
});
