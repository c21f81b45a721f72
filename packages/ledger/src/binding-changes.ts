import { type Binding, formatInstant, type Instant } from '@repo/domain';
import { insertRows } from './packed.ts';
import type { RowSource } from './reads.ts';
import type { LedgerTransaction } from './transaction.ts';

/** What a payer changed of a binding with one command. */
export interface BindingChange {
  readonly payer: string;
  readonly bindingId: string;
  readonly changeId: string;
  readonly at: Instant;
  /** Field by field, before and after: kept as it is given. */
  readonly changes: readonly object[];
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
      JSON.stringify(change.changes),
    ]),
  );
}

/** What was changed of a binding since it was bound, in the order in which it was applied; at most `limit`, the last ones. */
export async function findBindingChanges(
  source: RowSource,
  { payer, bindingId }: Pick<Binding, 'payer' | 'bindingId'>,
  limit: number,
): Promise<Pick<BindingChange, 'changeId' | 'at' | 'changes'>[]> {
  const rows = await source.rows<{ change_id: string; at: string; changes: readonly object[] }>(
    `select change_id, extract(epoch from changed_at) * 1000 as at, changes from binding_change
     where payer = $1 and binding_id = $2 order by change_no desc limit $3`,
    [payer, bindingId, limit],
  );
  return rows.reverse().map(({ change_id: changeId, at, changes }) => ({ changeId, at: Number(at), changes }));
}
