import { money } from '@repo/domain';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGuard } from '../../src/access.ts';
import { Issuer } from '../issuer.ts';
import { account, binding, claim, policiesWith, Scene } from './scene.ts';

/** A floor, of the prior-year portion alone; an authorised amount; a cap for each payer; and none of these. */
const PACKS = [
  { regionCode: '510000', extends: 'T6000', dailyLimitDefault: '500.00' },
  { regionCode: '620000', sharablePortion: 'PRIOR_YEAR_AUTHORISED' },
  { regionCode: '640000', perClaimPayerCap: '60.00' },
].map((pack) => ({ ...pack, effectiveFrom: '2025-01-01', effectiveTo: null }));

interface Stop {
  readonly by: string;
  readonly sentence: string;
  readonly limit?: string;
  readonly used?: string;
}
interface Step {
  readonly binding_id?: string;
  readonly amount?: string;
  readonly stopped_by?: readonly Stop[];
}

const stack = new AsyncDisposableStack();
let scene: Scene;
let guarded: FastifyInstance;
const issuer = new Issuer();
let key: Awaited<ReturnType<Issuer['addKey']>>;

beforeAll(async () => {
  scene = stack.use(await Scene.open({ policies: await policiesWith(...PACKS) }));
  await issuer.start();
  stack.defer(() => issuer.stop());
  key = await issuer.addKey();
  guarded = scene.serve({ guard: createGuard({ issuer: issuer.url, audience: 'gongji' }) });
  stack.defer(() => guarded.close());
});
afterAll(() => stack.disposeAsync());

/** A patient `1` with 40.00 of their own and the payer `2` of a region, bound as `B`: all by the letter of a family. */
async function family(id: string, area: string, payer: object, bound: object = {}): Promise<void> {
  await scene.members(
    account(`${id}1`, { insu_admdvs: area, current_year: '40.00' }),
    account(`${id}2`, { insu_admdvs: area, ...payer }),
    binding(`${id}B`, `${id}2`, { beneficiary: `${id}1`, ...bound }),
  );
}

const settle = (id: string, claimId: string, amount: string, area: string, on = '2025-03-10') =>
  scene.settle(
    'claim.submitted',
    claim({
      ...{ claim_id: claimId, psn_no: `${id}1`, fix_blng_admdvs: area, setl_time: `${on}T10:00:00+08:00` },
      ...{ medfee_sumamt: amount, fund_pay_sumamt: '0.00', psn_part_amt: amount },
    }),
  );

const stepsOf = async (claimId: string, lang = 'zh') =>
  (await scene.get(`/v1/settlements/${claimId}/explanation?lang=${lang}`)).body.steps as readonly Step[];

const stopsOf = async (claimId: string, bindingId: string, lang?: string) =>
  (await stepsOf(claimId, lang)).find(({ binding_id }) => binding_id === bindingId)?.stopped_by;

describe('an account that paid only a part is told to have been stopped', () => {
  test('by what must remain, of the portion that may be shared', async () => {
    await family('A', '510100', { prior_year: '6400.00', current_year: '55.00' }, { daily_limit: '9999.00' });
    await settle('A', 'CA', '3500.00', '510104');
    expect(await stopsOf('CA', 'AB')).toEqual([
      {
        by: 'BALANCE',
        limit: '3000.00',
        sentence:
          '可共济余额已经用到必须保留的3000.00元。按T6000地区的规定，“支付后最低结余”为：3000.00元。另有当年余额55.00元，不能用于共济。按T6000地区的规定，“可共济的账户部分”为：历年余额。',
      },
    ]);
    const [said] = (await stopsOf('CA', 'AB', 'en')) ?? [];
    expect(said?.sentence).toMatch(
      /^Its sharable balance is down to the 3000\.00 yuan that must remain\. By the rules/,
    );
  });

  test('by an empty balance; the own account too', async () => {
    await family('B', '420100', { prior_year: '20.00', current_year: '5.00' });
    await settle('B', 'CB', '100.00', '420106');
    const [own, relative] = await stepsOf('CB');
    expect(own).toMatchObject({ amount: '40.00', stopped_by: [{ by: 'BALANCE', sentence: '账户余额已经用完。' }] });
    expect(relative).toMatchObject({ amount: '25.00' });
    expect(relative?.stopped_by).toEqual([{ by: 'BALANCE', limit: '0.00', sentence: '可共济余额已经用完。' }]);
    expect((await stepsOf('CB', 'en'))[1]?.stopped_by).toMatchObject([
      { sentence: 'Its sharable balance was used up.' },
    ]);
  });

  test('by the limit of the binding for the day, with what was used before, whatever is changed, refunded and used later', async () => {
    await family('C', '420100', { prior_year: '900.00' }, { daily_limit: '100.00' });
    await settle('C', 'CC1', '70.00', '420106');
    await settle('C', 'CC2', '200.00', '420106');
    const stops = [
      {
        by: 'DAILY_LIMIT',
        limit: '100.00',
        used: '30.00',
        sentence: '这一共济关系的每日限额为100.00元，当天此前已经使用30.00元，剩余的70.00元已经用完。',
      },
    ];
    expect(await stopsOf('CC1', 'CB')).toBeUndefined();
    expect(await stopsOf('CC2', 'CB')).toEqual(stops);
    const refund = { refund_id: 'RC', claim_id: 'CC1', psn_no: 'C1', at: '2025-03-11T09:00:00+08:00' };
    await scene.settle('claim.refunded', refund);
    await scene.change('CB', 'C2', { dailyLimit: money('500.00') });
    await scene.change('CB', 'C2', { dailyLimit: null });
    await settle('C', 'CC3', '20.00', '420106');
    expect(await stopsOf('CC2', 'CB')).toEqual(stops);
    expect((await stopsOf('CC2', 'CB', 'en'))?.map(({ sentence }) => sentence)).toEqual([
      'The day’s limit of this relation is 100.00 yuan; 30.00 yuan of it had been used that day, and the 70.00 yuan left are used up.',
    ]);
  });

  test('by the limit of the region for the day', async () => {
    await family('D', '510100', { prior_year: '9000.00' });
    await settle('D', 'CD', '700.00', '510104');
    expect(await stopsOf('CD', 'DB')).toMatchObject([
      {
        by: 'DAILY_LIMIT',
        limit: '500.00',
        used: '0.00',
        sentence: expect.stringContaining('“默认日限额”为：500.00元'),
      },
    ]);
  });

  test('by what was left of the authorised amount, whatever the payer authorises later', async () => {
    await family('E', '620100', { prior_year: '900.00' }, { authorised_amount: '80.00' });
    await settle('E', 'CE1', '70.00', '620102');
    await settle('E', 'CE2', '100.00', '620102');
    const left = { by: 'AUTHORISED_AMOUNT', limit: '50.00' };
    expect(await stopsOf('CE2', 'EB')).toMatchObject([left]);
    await scene.change('EB', 'E2', { authorisedAmount: money('300.00') });
    await settle('E', 'CE3', '25.00', '620102');
    await scene.change('EB', 'E2', { authorisedAmount: money('9.00'), dailyLimit: money('10.00') });
    expect(await stopsOf('CE2', 'EB')).toMatchObject([
      { ...left, sentence: expect.stringMatching(/^共济人授权的额度当时剩余50\.00元，已经用完。按/) },
    ]);
    expect(await stopsOf('CE2', 'EB', 'en')).toMatchObject([
      {
        sentence: expect.stringMatching(/^50\.00 yuan was left of what the payer had authorised, and is used up\. By/),
      },
    ]);
  });

  test('not by the authorised amount, where a refund returns what did not use it', async () => {
    await beforeAndInAuthorisedMode('I', { prior_year: '80.00' }, { authorised_amount: '80.00' });
    expect(await stopsOf('CI1', 'IB')).toMatchObject([{ by: 'BALANCE' }]);
  });

  test('by the cap for one payer in one claim, which a second binding of the payer shares', async () => {
    await family('F', '640100', { prior_year: '900.00' }, { daily_limit: '45.00', priority: 1 });
    await scene.members(binding('FC', 'F2', { beneficiary: 'F1', relation: 'SPOUSE', priority: 2 }));
    await settle('F', 'CF', '200.00', '640104');
    expect(await stopsOf('CF', 'FB')).toMatchObject([{ by: 'DAILY_LIMIT', limit: '45.00' }]);
    const [cap] = (await stopsOf('CF', 'FC')) ?? [];
    expect(cap).toMatchObject({ by: 'PER_CLAIM_CAP', limit: '60.00', used: '45.00' });
    expect(cap?.sentence).toMatch(/^该账户在一次结算中最多支付60\.00元，本次已经支付到这一数额。按/);
    const [told] = (await stopsOf('CF', 'FC', 'en')) ?? [];
    expect(told?.sentence).toMatch(
      /^The account pays at most 60\.00 yuan towards one claim, and has come to that\. By/,
    );
  });

  test('by two limits at once, where both were what it paid', async () => {
    await family('G', '420100', { prior_year: '30.00' }, { daily_limit: '30.00' });
    await settle('G', 'CG', '100.00', '420106');
    expect(await stopsOf('CG', 'GB')).toMatchObject([{ by: 'BALANCE' }, { by: 'DAILY_LIMIT' }]);
  });
});

describe('what is no longer known', () => {
  test('is not guessed: a limit that was changed without a note, or rules that are gone', async () => {
    await family('H', '420100', { prior_year: '900.00' }, { daily_limit: '30.00' });
    await settle('H', 'CH', '100.00', '420106');
    expect(await stopsOf('CH', 'HB')).toMatchObject([{ by: 'DAILY_LIMIT' }]);
    const without = scene.serve({ policies: await policiesWith({ ...PACKS[2], arrearsGraceDays: 9 }) });
    const { body } = await scene.get('/v1/settlements/CF/explanation', without);
    const unknown = [{ by: 'UNKNOWN', sentence: '账簿中的记录已经不足以查明是哪一项限制使其没有支付更多。' }];
    expect((body.steps as readonly Step[])[1]?.stopped_by).toEqual(unknown);
    await without.close();
    await scene.rows(`update binding set daily_limit = 31 where binding_id = 'HB'`);
    expect(await stopsOf('CH', 'HB')).toEqual(unknown);
    expect((await stopsOf('CH', 'HB', 'en'))?.[0]?.sentence).toMatch(/no longer tells which limit/);
  });

  test('is not guessed: whether a later refund returned some of the authorised amount', async () => {
    await beforeAndInAuthorisedMode('J', { prior_year: '900.00' }, { authorised_amount: '50.00' });
    expect(await stopsOf('CJ1', 'JB')).toMatchObject([{ by: 'AUTHORISED_AMOUNT', limit: '50.00' }]);
    await scene.asOwner(`delete from outcome using event_id where event_id = 'claim:CJ0'
      and (outcome.shard_id, outcome.seq, outcome.month) = (event_id.shard_id, event_id.seq, event_id.month)`);
    expect(await stopsOf('CJ1', 'JB')).toMatchObject([{ by: 'UNKNOWN' }]);
  });
});

/** 30.00 paid in Zhejiang before it begins to ask for an authorised amount, then as much as it allows, then the 30.00 refunded. */
async function beforeAndInAuthorisedMode(id: string, payer: object, bound: object): Promise<void> {
  const since = { bound_at: '2024-01-05T09:00:00+08:00' };
  await family(id, '330106', { as_of: '2024-01-31T00:00:00+08:00', ...payer }, { ...since, ...bound });
  await settle(id, `C${id}0`, '70.00', '330106', '2024-11-20');
  await settle(id, `C${id}1`, '100.00', '330106', '2024-12-05');
  const refund = { claim_id: `C${id}0`, psn_no: `${id}1`, at: '2024-12-10T09:00:00+08:00' };
  await scene.settle('claim.refunded', { refund_id: `R${id}`, ...refund });
}

describe('whose account it is', () => {
  const asked = async (claims: Record<string, unknown>) => {
    const authorization = `Bearer ${await issuer.sign(key, claims)}`;
    const answer = await guarded.inject({ url: '/v1/settlements/CB/explanation', headers: { authorization } });
    const { steps, sentences } = answer.json() as { steps: readonly Step[]; sentences: readonly string[] };
    return { sentences, stopped: steps.map(({ stopped_by: stops }) => stops?.map(({ by }) => by)) };
  };

  test.each([
    ['the patient', { scope: 'gongji.self', psn_no: 'B1' }],
    ['the hospital', { scope: 'gongji.institution', fixmedins_code: 'H33010600001' }],
  ])(
    'decides: %s is told of the own account alone, and the sentences to be read aloud say nothing',
    async (_, claims) => {
      const { sentences, stopped } = await asked(claims);
      expect(stopped).toEqual([['BALANCE'], undefined, undefined]);
      expect(sentences.join()).not.toMatch(/余额已经用完|可共济余额/);
    },
  );

  test.each([
    ['who may see the payer as well', { scope: 'gongji.self', psn_no: ['B1', 'B2'] }],
    ['the bureau of the area', { scope: 'gongji.region', insu_admdvs: '420100' }],
    ['an operator', { scope: 'gongji.operate' }],
  ])('decides: %s is told of the payer’s too, and still not in what is read aloud', async (_, claims) => {
    const { sentences, stopped } = await asked(claims);
    expect(stopped).toEqual([['BALANCE'], ['BALANCE'], undefined]);
    expect(sentences.join()).not.toMatch(/余额已经用完|可共济余额/);
  });
});
