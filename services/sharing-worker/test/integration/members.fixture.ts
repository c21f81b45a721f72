import { DECODE_LIMITS } from '@repo/contracts';
import type { Ledger } from '@repo/ledger';
import { shippedPolicies } from '@repo/policy';
import { Envelopes, newKey } from '@repo/sealing';
import type { MemberDeps } from '../../src/apply-members.ts';

/** All that applying member events needs: this ledger, the shipped rules, the usual limits. */
export async function memberDeps(ledger: Ledger, partitions: number): Promise<MemberDeps> {
  const policies = await shippedPolicies();
  return {
    ledger,
    policyOf: (area, on) => policies.policyAt(area, on),
    limits: DECODE_LIMITS,
    partitions,
    targets: {
      results: 'results',
      deadLetters: 'dead',
      deadLetterBase: partitions,
      source: '/test',
      envelopes: Envelopes.of(newKey()),
    },
  };
}
