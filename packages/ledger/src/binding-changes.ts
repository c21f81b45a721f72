import { type Binding, type BindingChanges, formatInstant, formatMoney, type Instant, type Money } from '@repo/domain';
import { insertRows } from './packed.ts';
import type { RowSource } from './reads.ts';
import type { LedgerTransaction } from './transaction.ts';

/** What a payer changed of a binding with one command. */
export interface BindingChange {
  readonly payer: string;
  readonly bindingId: string;
  readonly changeId: string;
  readonly at: Instant;
  readonly before: BindingChanges;
  readonly after: BindingChanges;
}

/** One field of the contract's `binding.changed` before and after; amounts in yuan as text, null = none. */
export type ChangedFields = Readonly<Record<string, readonly [before: Value, after: Value]>>;
type Value = string | number | boolean | null;

const amount = (money: Money | null | undefined): string | null => (money == null ? null : formatMoney(money));

/** As the wire calls and writes them. */
const FIELDS: Readonly<Record<string, (from: BindingChanges) => Value>> = {
  priority: ({ priority }) => priority ?? null,
  daily_limit: ({ dailyLimit }) => amount(dailyLimit),
  authorised_amount: ({ authorisedAmount }) => amount(authorisedAmount),
  effective_to: ({ effectiveTo }) => effectiveTo ?? null,
  premium_registered: ({ premiumRegistered }) => premiumRegistered ?? false,
};

/** What is another value than before; a field that a command names and leaves as it was is no change. */
function changedFields({ before, after }: Pick<BindingChange, 'before' | 'after'>): ChangedFields {
  const changed = Object.entries(FIELDS)
    .map(([field, read]) => [field, [read(before), read({ ...before, ...after })]] as const)
    .filter(([, [was, is]]) => was !== is);
  return Object.fromEntries(changed);
}

/** Notes what payers changed, in the order in which it was applied. */
export function writeBindingChanges(tx: LedgerTransaction, changes: readonly BindingChange[]): void {
  insertRows(
    tx,
    'binding_change',
    [
      ['payer', 'text'],
      ['binding_id', 'text'],
      ['change_id', 'text'],
      ['changed_at', 'timestamptz'],
      ['changes', 'jsonb'],
    ],
    changes.map((change) => [
      change.payer,
      change.bindingId,
      change.changeId,
      formatInstant(change.at),
      JSON.stringify(changedFields(change)),
    ]),
  );
}

/** What was changed of a binding since it was bound, in the order in which it was applied; at most `limit`, the last ones. */
export async function findBindingChanges(
  source: RowSource,
  { payer, bindingId }: Pick<Binding, 'payer' | 'bindingId'>,
  limit: number,
): Promise<{ changeId: string; at: Instant; changes: ChangedFields }[]> {
  const rows = await source.rows<{ change_id: string; at: string; changes: ChangedFields }>(
    `select change_id, extract(epoch from changed_at) * 1000 as at, changes from binding_change
     where payer = $1 and binding_id = $2 order by change_no desc limit $3`,
    [payer, bindingId, limit],
  );
  return rows.reverse().map(({ change_id: changeId, at, changes }) => ({ changeId, at: Number(at), changes }));
}
