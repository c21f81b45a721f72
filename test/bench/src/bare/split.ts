/** What one claim takes from where, in fen. */
export interface Split {
  readonly own: number;
  readonly relatives: number;
  readonly cash: number;
  /** One per account touched, in the order they were taken. */
  readonly entries: readonly { readonly account: string; readonly amount: number; readonly balanceAfter: number }[];
}

/**
 * Takes `personalShare` from the accounts in their order, the patient's own first, as far as each reaches; the rest is cash. The
 * balances are changed. This is all a settlement needs when every claim is known to be good and no rule asks for anything.
 */
export function splitClaim(personalShare: number, accounts: readonly string[], balances: Map<string, number>): Split {
  let remaining = personalShare;
  let own = 0;
  const entries = [];
  for (const [rank, account] of accounts.entries()) {
    const balance = balances.get(account) ?? 0;
    if (balance === 0) continue;
    const amount = Math.min(balance, remaining);
    const balanceAfter = balance - amount;
    balances.set(account, balanceAfter);
    entries.push({ account, amount, balanceAfter });
    if (rank === 0) own = amount;
    remaining -= amount;
    if (remaining === 0) break;
  }
  return { own, relatives: personalShare - own - remaining, cash: remaining, entries };
}
