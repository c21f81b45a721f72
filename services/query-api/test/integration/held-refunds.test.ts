import { afterAll, beforeAll, expect, test } from 'vitest';
import { account, binding, claim, Scene } from './scene.ts';

/** One more than a page: each pays 1.00 of one claim, and gets it back. */
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
  const at = '2025-03-11T10:00:00+08:00';
  await scene.settle('claim.refunded', { refund_id: 'R1', claim_id: 'C1', psn_no: 'P1', at });
});
afterAll(async () => scene[Symbol.asyncDispose]());

test('what is held for owners of closed accounts is listed, a hundred at a time, until it is paid out', async () => {
  expect(await scene.get('/v1/held-refunds')).toMatchObject({ status: 200, body: { held: [] } });

  // As the settlement worker notes it of closed accounts, and the sharing worker what was paid out since.
  await scene.rows(
    `insert into held_refund (psn_no, refund_id, amount) select psn_no, reference, 1 from entry where kind = 'REFUND'`,
  );
  await scene.rows(`update held_refund set paid = 0.40 where psn_no = 'Q007'`);

  const first = (await scene.get('/v1/held-refunds')).body as { held: { psn_no: string }[]; next: string };
  expect(first.held.map(({ psn_no }) => psn_no)).toEqual(PAYERS.slice(0, 100));
  expect(first.next).toBe('Q099');
  const rest = await scene.get(`/v1/held-refunds?after=${first.next}`);
  expect(rest.body).toEqual({ held: [expect.objectContaining({ psn_no: 'Q100' })] });
  expect((await scene.get('/v1/held-refunds?psn_no=Q007')).body).toEqual({
    held: [{ psn_no: 'Q007', refund_id: 'R1', on: '2025-03-11', amount: '1.00', paid_out: '0.40', open: '0.60' }],
  });

  await scene.rows(`update held_refund set paid = amount where psn_no = 'Q007'`);
  expect((await scene.get('/v1/held-refunds?psn_no=Q007')).body).toEqual({ held: [] });
});
