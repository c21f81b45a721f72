import { fenOf, sum } from './auditor/fen.ts';
import type { AccountView, BindingView } from './auditor/views.ts';
import type { PublishedRecord } from './compare.ts';

/** A numbered law of the settlement stream that a record or an account breaks. */
export interface Violation {
  readonly law: string;
  readonly subject: string;
}

/** The sums every published settlement must satisfy by itself, whoever computed it. */
export function checkSums(published: readonly PublishedRecord[]): Violation[] {
  return published
    .filter(
      ({ topic, headers }) => topic === 'settlements' && /^settlement\.(settled|refused)$/.test(headers.ce_type ?? ''),
    )
    .flatMap(({ value }) => {
      const outcome = JSON.parse(value) as Record<string, unknown>;
      const fen = (name: string) => fenOf(outcome[name]);
      const allocation = outcome.allocation as readonly Record<string, unknown>[];
      const paid = (source: string) =>
        sum(allocation.filter((each) => each.source === source).map((each) => fenOf(each.amount)));
      const portions = allocation.every(
        (each) => fenOf(each.amount) === fenOf(each.prior_year) + fenOf(each.current_year),
      );
      const laws: readonly (readonly [string, boolean])[] = [
        ['I1', fen('medfee_sumamt') === fen('fund_pay_sumamt') + fen('hosp_part_amt') + fen('psn_part_amt')],
        ['I2', fen('psn_part_amt') === fen('acct_pay') + fen('acct_mulaid_pay') + fen('psn_cash_pay')],
        ['I4', fen('acct_pay') === paid('OWN') && fen('acct_mulaid_pay') === paid('RELATIVE')],
        ['amount = prior_year + current_year', portions],
        [
          'no allocation of 0.00, nothing negative',
          allocation.every((each) => fenOf(each.amount) > 0n) && fen('psn_cash_pay') >= 0n,
        ],
      ];
      return laws.filter(([, holds]) => !holds).map(([law]) => ({ law, subject: String(outcome.claim_id) }));
    });
}

/** `ce_sequence` must rise by one per output topic and partition: no gap, no repeat. */
export function checkSequences(published: readonly PublishedRecord[]): Violation[] {
  const partitions = Map.groupBy(published, ({ topic, partition }) => `${topic}-${partition}`);
  return [...partitions].flatMap(([subject, records]) => {
    const numbers = records.map(({ headers }) => Number(headers.ce_sequence ?? headers['gongji-sequence']));
    return numbers
      .filter((number, index) => index > 0 && number !== (numbers[index - 1] ?? 0) + 1)
      .map((number) => ({ law: `sequence broken at ${number}`, subject }));
  });
}

/** Every account as the system shows it against what its events add up to. Extra fields of what is shown are not looked at. */
export function compareAccounts(
  expected: readonly AccountView[],
  shown: ReadonlyMap<string, Readonly<Record<string, unknown>>>,
): Violation[] {
  return expected.flatMap((account) => compareView('account', account.psn_no, account, shown.get(account.psn_no)));
}

/** Every binding as the system shows it, and none that nobody opened. */
export function compareBindings(
  expected: readonly BindingView[],
  shown: readonly Readonly<Record<string, unknown>>[],
): Violation[] {
  const open = new Map(shown.map((binding) => [String(binding.binding_id), binding]));
  const differences = expected.flatMap((binding) => {
    const { binding_id } = binding;
    const actual = open.get(binding_id);
    open.delete(binding_id);
    return compareView('binding', binding_id, binding, actual);
  });
  return [...differences, ...[...open.keys()].map((subject) => ({ law: 'binding was never opened', subject }))];
}

function compareView(
  what: string,
  subject: string,
  expected: object,
  actual: Readonly<Record<string, unknown>> | undefined,
): Violation[] {
  if (actual === undefined) return [{ law: `${what} is missing`, subject }];
  return Object.entries(expected)
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(actual[name] ?? null))
    .map(([name, value]) => ({
      law: `${name} must be ${JSON.stringify(value)} and is ${JSON.stringify(actual[name] ?? null)}`,
      subject,
    }));
}
