import { expect, test } from 'vitest';
import { describe } from '../src/commands/backdated.ts';

test('a payer is shown as a table, each draw with what speaks against it', () => {
  const draw = {
    claim_id: 'C1',
    premium_id: null,
    setl_id: 'S1',
    on: '2025-03-05',
    binding_id: 'B1',
    beneficiary: 'P1',
    relation: 'SPOUSE',
    amount: '60.00',
    refunded: '10.00',
    net: '50.00',
    reasons: [
      {
        code: 'PAYER_IN_ARREARS',
        since: '2025-03-01',
        cause: { ce_type: 'contribution.missed', id: 'P2:2025-02' },
        known_at: '2025-03-20T01:00:00.000Z',
      },
    ],
  } as const;
  const premium = { ...draw, claim_id: null, premium_id: 'Q1000', setl_id: null, amount: '400.00', refunded: '0.00' };
  const totals = { count: 2, amount: '460.00', refunded: '10.00', net: '450.00' };
  expect(describe({ payer: 'P2', ...totals, draws: [draw, premium] } as never)).toBe(
    `P2  2 drawn, 460.00 yuan, 10.00 given back, 450.00 stand
  2025-03-05  C1     B1 SPOUSE P1  drawn 60.00   refunded 10.00  PAYER_IN_ARREARS since 2025-03-01 (contribution.missed P2:2025-02)
  2025-03-05  Q1000  B1 SPOUSE P1  drawn 400.00  refunded 0.00   PAYER_IN_ARREARS since 2025-03-01 (contribution.missed P2:2025-02)`,
  );
});
