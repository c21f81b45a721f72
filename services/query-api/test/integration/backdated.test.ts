import { afterAll, beforeAll, expect, test } from 'vitest';
import { account, binding, claim, Scene } from './scene.ts';

/** One more than a page: each pays 1.00 of one claim. */
const PAYERS = Array.from({ length: 101 }, (_, n) => `Q${String(n).padStart(3, '0')}`);
let scene: Scene;

beforeAll(async () => {
  scene = await Scene.open();
  await scene.members(
    account('P1'),
    ...PAYERS.map((payer) => account(payer, { current_year: '5.00' })),
    ...PAYERS.map((payer) => binding(`B-${payer}`, payer, { daily_limit: '1.00' })),
  );
  await scene.settle('claim.submitted', claim({ psn_part_amt: '101.00', medfee_sumamt: '301.00' }));
});
afterAll(async () => scene[Symbol.asyncDispose]());

test('where nothing is listed, nobody is', async () => {
  expect(await scene.get('/v1/backdated')).toMatchObject({ status: 200, body: { payers: [] } });
});

test('the list is by payer, a hundred at a time, each with what was drawn, given back and stands', async () => {
  // As the sharing worker notes it when a missed month becomes known.
  await scene.rows(
    `insert into backdated_draw (psn_no, version, reason, since, cause_type, cause_id, known_at)
     select psn_no, version, 'PAYER_IN_ARREARS', '2025-03-01', 'contribution.missed', 'M', '2025-03-20T09:00:00+08:00'
     from entry where kind = 'CLAIM'`,
  );
  const at = '2025-03-11T10:00:00+08:00';
  await scene.settle('claim.refunded', { refund_id: 'R1', claim_id: 'C1', psn_no: 'P1', at, amount: '0.25' });

  const first = (await scene.get('/v1/backdated')).body as { payers: { payer: string; net: string }[]; next: string };
  expect(first.payers.map(({ payer }) => payer)).toEqual(PAYERS.slice(0, 100));
  expect(first.next).toBe('Q099');
  const { body } = await scene.get(`/v1/backdated?after=${first.next}`);
  expect(body).toEqual({ payers: [expect.objectContaining({ payer: 'Q100' })] });

  // Relatives are paid back last-debited first.
  expect((await scene.get('/v1/backdated?payer=Q100')).body).toEqual({
    payers: [
      {
        payer: 'Q100',
        count: 1,
        amount: '1.00',
        refunded: '0.25',
        net: '0.75',
        draws: [
          {
            claim_id: 'C1',
            premium_id: null,
            setl_id: 'S-C1',
            on: '2025-03-10',
            binding_id: 'B-Q100',
            beneficiary: 'P1',
            relation: 'SPOUSE',
            amount: '1.00',
            refunded: '0.25',
            net: '0.75',
            reasons: [
              {
                code: 'PAYER_IN_ARREARS',
                since: '2025-03-01',
                cause: { ce_type: 'contribution.missed', id: 'M' },
                known_at: '2025-03-20T01:00:00.000Z',
              },
            ],
          },
        ],
      },
    ],
  });
  expect((await scene.get('/v1/backdated?payer=P1')).body).toEqual({ payers: [] });
});
