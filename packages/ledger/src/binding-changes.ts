import { assert, type Binding, formatInstant, type Instant } from '@repo/domain';
import { insertRows } from './packed.ts';
import type { RowSource } from './reads.ts';
import type { LedgerTransaction } from './transaction.ts';

/** What one command of a payer changed in a binding. */
export interface BindingChange {
  readonly payer: string;
  readonly bindingId: string;
  readonly changeId: string;
  readonly at: Instant;
  /** One object per changed field, with its value before and after; stored as given. */
  readonly changes: readonly object[];
}

/** A stored change. `payerVersion`: the payer's last entry before it; null where an older worker did not record it. */
export interface NotedChange extends Pick<BindingChange, 'changeId' | 'at' | 'changes'> {
  readonly payerVersion: bigint | null;
}

/**
 * Records what payers changed, in the order in which it was applied, with the version of the payer's last entry, this batch's entries
 * included.
 */
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
      ['payer_version', 'bigint'],
    ],
    changes.map((change) => {
      const account = tx.accounts.get(change.payer);
      assert(account !== undefined, 'a binding is changed only under the lock of its payer');
      return [
        change.payer,
        change.bindingId,
        change.changeId,
        formatInstant(change.at),
        JSON.stringify(change.changes),
        account.version,
      ];
    }),
  );
}

/** The last `limit` changes of a binding, in the order in which they were applied. */
export async function findBindingChanges(
  source: RowSource,
  { payer, bindingId }: Pick<Binding, 'payer' | 'bindingId'>,
  limit: number,
): Promise<NotedChange[]> {
  const rows = await source.rows<{
    change_id: string;
    at: string;
    changes: readonly object[];
    payer_version: string | null;
  }>(
    `select change_id, extract(epoch from changed_at) * 1000 as at, changes, payer_version from binding_change
     where payer = $1 and binding_id = $2 order by change_no desc limit $3`,
    [payer, bindingId, limit],
  );
  return rows.reverse().map(({ change_id: changeId, at, changes, payer_version: version }) => ({
    changeId,
    at: Number(at),
    changes,
    payerVersion: version === null ? null : BigInt(version),
  }));
}
