import { type AccountOpened, yuan } from './account.ts';
import type { Place } from './household.ts';
import type { Random } from './random.ts';

export type Relation = 'SPOUSE' | 'PARENT' | 'CHILD' | 'SIBLING' | 'GRANDPARENT' | 'GRANDCHILD';

/** The value of a `binding.opened` message. `relation` says what the beneficiary is to the payer. */
export interface BindingOpened {
  readonly binding_id: string;
  readonly payer: string;
  readonly beneficiary: string;
  readonly relation: Relation;
  readonly bound_at: string;
  readonly type?: 'KINSHIP_CODE';
  readonly state?: 'ACTIVE' | 'PENDING' | 'PAUSED' | 'REVOKED';
  readonly pause_reasons?: readonly string[];
  readonly priority?: number;
  readonly effective_from?: string;
  readonly effective_to?: string;
  readonly daily_limit?: string;
  readonly authorised_amount?: string;
}

/** Someone of the city: who they are in their family and what the insurance knows of them. */
export interface Person extends Place {
  readonly account: AccountOpened;
}

/** How likely it is that a payer has bound such a relative; null where they are no relatives who may. */
function likelihood(payer: Person, beneficiary: Person): readonly [Relation, number] | null {
  switch (`${payer.generation}-${beneficiary.generation}` as const) {
    case 'ADULT-ADULT':
      return ['SPOUSE', 0.5];
    case 'ELDER-ELDER':
      return payer.side === beneficiary.side ? ['SPOUSE', 0.4] : null;
    case 'ADULT-CHILD':
      return ['CHILD', 0.8];
    case 'ELDER-CHILD':
      return ['GRANDCHILD', 0.12];
    case 'CHILD-CHILD':
      return ['SIBLING', 0.3];
    case 'CHILD-ELDER':
      return ['GRANDPARENT', 0.3];
    case 'CHILD-ADULT':
      return ['PARENT', 0.3];
    // Parents-in-law are not among the relatives of the rules: only one's own parents and children.
    case 'ADULT-ELDER':
      return payer.side === beneficiary.side ? ['PARENT', 0.65] : null;
    case 'ELDER-ADULT':
      return payer.side === beneficiary.side ? ['CHILD', 0.12] : null;
  }
}

/** The bindings of one family, those of each payer together; `id` names the n-th. */
export function bindFamily(random: Random, people: readonly Person[], id: (n: number) => string): BindingOpened[] {
  const bindings: BindingOpened[] = [];
  for (const payer of people) {
    // Someone without an account has nothing to lend; a few tried before they knew the rules.
    const asks = payer.account.insutype === '310' || (payer.generation !== 'CHILD' && random.chance(0.02));
    for (const beneficiary of asks ? people : []) {
      const relative = payer === beneficiary ? null : likelihood(payer, beneficiary);
      if (!relative || !random.chance(relative[1])) continue;
      bindings.push({
        binding_id: id(bindings.length),
        payer: payer.account.psn_no,
        beneficiary: beneficiary.account.psn_no,
        relation: relative[0],
        ...terms(random, payer),
      });
    }
  }
  return bindings;
}

/** When it was bound, how far it goes and what stops it. Zhejiang's flow has the payer enter an amount, so all have one. */
function terms(random: Random, payer: Person) {
  const bound = `${random.pick(['2024-12', '2025-02', '2025-04', '2025-07', '2025-09', '2025-11'])}-${random.between(10, 28)}`;
  const authorised = random.chance(0.03) ? 0 : random.pick([300, 500, 800, 1_000, 2_000, 3_000, 5_000]);
  return {
    bound_at: `${bound}T${random.between(10, 21)}:${random.between(10, 59)}:00+08:00`,
    authorised_amount: yuan(authorised * 100),
    ...(random.chance(0.8) && { priority: random.between(1, 3) }),
    ...(random.chance(0.15) && { daily_limit: yuan(random.pick([50, 100, 200, 300, 500]) * 100) }),
    ...state(random, payer),
  };
}

function state(random: Random, { account }: Person): Partial<BindingOpened> {
  const oddity = random.weighted<Partial<BindingOpened>>([
    [930, {}],
    [20, { state: 'PENDING' }],
    [10, { state: 'REVOKED' }],
    [10, { effective_to: '2026-02-28' }],
    [5, { effective_from: '2026-04-01' }],
    [25, { type: 'KINSHIP_CODE' }],
  ]);
  if (oddity.state) return oddity;
  const reasons = [
    ...(account.unpaid_periods || !account.insured ? ['ARREARS'] : []),
    ...(random.chance(0.02) ? ['USER'] : []),
    // Only last year's money is shared here, so an account without any is empty for relatives.
    ...(account.insutype === '310' && account.prior_year === '0.00' ? ['ZERO_BALANCE'] : []),
  ];
  return reasons.length > 0 ? { ...oddity, state: 'PAUSED', pause_reasons: reasons } : oddity;
}
