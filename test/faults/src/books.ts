import type { Evidence, Ledger } from './evidence.ts';
import { fenOf, sumOf } from './fen.ts';
import { compareLists, fieldsOf, type Input, type Problem } from './problems.ts';

type Entry = Ledger['entries'][number];

/** What an entry says it moved, in fen, both portions together. */
const movedBy = (entry: Entry): bigint => fenOf(entry.priorYear) + fenOf(entry.currentYear) + fenOf(entry.held);
const money = (what: string): Problem => ({ kind: 'money', what });

/** Judges the money: in published outcomes, in entries, in accounts, over all; and what balances mean for sharing. */
export function judgeBooks(evidence: Evidence, inputs: readonly Input[]): Problem[] {
  return [
    ...judgeOutcomeSums(evidence, inputs),
    ...judgePostings(evidence, inputs),
    ...judgeAccounts(evidence),
    ...judgeWhole(evidence, inputs),
    ...judgeBounds(evidence, inputs),
    ...judgeCrossings(evidence, inputs),
  ];
}

interface Allocation {
  readonly source: string;
  readonly account?: string;
  readonly binding_id?: string;
  readonly amount: string;
  readonly prior_year?: string;
  readonly current_year?: string;
}

/** A settlement's parts make up what the patient bears; refunds of a claim give back no more than that. */
function judgeOutcomeSums({ records }: Evidence, inputs: readonly Input[]): Problem[] {
  const shares = new Map<string, bigint>();
  for (const { meaning } of inputs) if (meaning.kind === 'claim') shares.set(meaning.id, meaning.share);
  const problems: Problem[] = [];
  for (const record of records) {
    if (record.topic !== 'settlements') continue;
    const fields = fieldsOf(record);
    if (fields.status !== 'SETTLED' && fields.status !== 'REFUNDED') continue;
    const [own, relatives, cash] = [fields.acct_pay, fields.acct_mulaid_pay, fields.psn_cash_pay].map(fenOf);
    const total = (own ?? 0n) + (relatives ?? 0n) + (cash ?? 0n);
    const claim = String(fields.claim_id);
    const isRefund = fields.status === 'REFUNDED';
    const parts = (isRefund ? fields.returned : fields.allocation) as readonly Allocation[];
    const from = (source: string) =>
      sumOf(parts.filter((part) => part.source === source).map(({ amount }) => fenOf(amount)));
    const sign = isRefund ? -1n : 1n;
    if (own !== sign * from('OWN') || relatives !== sign * from('RELATIVE'))
      problems.push(money(`an outcome of ${claim} does not add up to its parts`));
    if (isRefund) shares.set(claim, (shares.get(claim) ?? 0n) + total);
    else if (total !== shares.get(claim) || total !== fenOf(fields.psn_part_amt))
      problems.push(money(`the settlement of ${claim} does not add up to what the patient bears`));
    if ((shares.get(claim) ?? -1n) < 0n) problems.push(money(`refunds of ${claim} exceed it`));
  }
  return problems;
}

/** Entries of claims, refunds, credits and openings are exactly those that the outcomes and the messages name. */
function judgePostings({ records, ledger }: Evidence, inputs: readonly Input[]): Problem[] {
  const expected: string[] = [];
  for (const record of records) {
    if (record.topic !== 'settlements') continue;
    const { status, claim_id, refund_id, allocation, returned } = fieldsOf(record);
    if (status === 'SETTLED')
      for (const { account, prior_year, current_year } of allocation as readonly Allocation[])
        expected.push(`CLAIM ${claim_id} ${account} ${-fenOf(prior_year)} ${-fenOf(current_year)}`);
    if (status === 'REFUNDED')
      for (const { source, account, amount } of returned as readonly Allocation[])
        if (source !== 'CASH') expected.push(`REFUND ${refund_id} ${account} ${fenOf(amount)}`);
  }
  for (const { meaning, isRepeat } of inputs) {
    if (isRepeat) continue;
    if (meaning.kind === 'credit') expected.push(`CREDIT ${meaning.id} ${meaning.account} ${meaning.amount}`);
    if (meaning.kind === 'opening')
      expected.push(`OPENING ${meaning.account} ${meaning.priorYear} ${meaning.currentYear}`);
  }
  // New Year moves what is left from one portion to the other; that it moves nothing else is judged with the accounts.
  const posted = ledger.entries
    .filter(({ kind }) => kind !== 'ROLLOVER')
    .map((entry) => {
      const portions = `${fenOf(entry.priorYear)} ${fenOf(entry.currentYear)}`;
      if (entry.kind === 'OPENING') return `OPENING ${entry.account} ${portions}`;
      if (entry.kind === 'CLAIM') return `CLAIM ${entry.reference} ${entry.account} ${portions}`;
      return `${entry.kind} ${entry.reference} ${entry.account} ${movedBy(entry)}`;
    });
  return compareLists('entries', expected.sort(), posted.sort()).map(({ what }) => money(what));
}

/**
 * A binding never pays more than its daily limit for one day in Shanghai, nor more than what its payer authorised in all, each less what is
 * refunded of it; and no claim of a relative leaves less in an account than its floor. All claims of a binding are one patient's, so their outcomes are in one order.
 */
function judgeBounds({ records, ledger }: Evidence, inputs: readonly Input[]): Problem[] {
  const limits = new Map<string, bigint>();
  const authorised = new Map<string, bigint>();
  const floors = new Map<string, bigint>();
  const patients = new Map<string, string | null>();
  for (const { record, meaning } of inputs) {
    if (meaning.kind === 'binding' && meaning.dailyLimit !== null) limits.set(meaning.id, meaning.dailyLimit);
    if (meaning.kind === 'binding' && meaning.authorised !== null) authorised.set(meaning.id, meaning.authorised);
    if (meaning.kind === 'opening') floors.set(meaning.account, meaning.floor);
    if (meaning.kind === 'claim') patients.set(meaning.id, record.key);
  }
  const problems: Problem[] = [];
  const days = new Map<string, string>();
  const used = new Map<string, bigint>();
  for (const record of records) {
    if (record.topic !== 'settlements') continue;
    const { status, claim_id, setl_time, allocation, returned } = fieldsOf(record);
    if (status === 'SETTLED') days.set(String(claim_id), dayInShanghai(String(setl_time)));
    const parts = status === 'SETTLED' ? allocation : status === 'REFUNDED' ? returned : [];
    for (const { binding_id = '', amount } of parts as readonly Allocation[]) {
      const bounds = [
        [limits.get(binding_id), `${binding_id} on ${days.get(String(claim_id))}`],
        [authorised.get(binding_id), `${binding_id} in all`],
      ] as const;
      for (const [bound, where] of bounds) {
        if (bound === undefined) continue;
        const sum = (used.get(where) ?? 0n) + (status === 'SETTLED' ? fenOf(amount) : -fenOf(amount));
        used.set(where, sum);
        if (sum > bound) problems.push(money(`${where} paid ${sum} fen by claim ${claim_id}, and may pay ${bound}`));
        if (sum < 0n) problems.push(money(`${where} was refunded more than it paid`));
      }
    }
  }
  for (const { kind, account, reference, priorYearAfter, currentYearAfter } of ledger.entries) {
    if (kind !== 'CLAIM' || patients.get(reference) === account) continue;
    if (fenOf(priorYearAfter) + fenOf(currentYearAfter) < (floors.get(account) ?? 0n))
      problems.push(money(`claim ${reference} of a relative took an account below its floor`));
  }
  return problems;
}

const dayInShanghai = (instant: string): string =>
  new Date(Date.parse(instant) + 8 * 3_600_000).toISOString().slice(0, 10);

/** Every account is the sum of its entries, numbered without gaps, and no portion was ever below nothing. */
function judgeAccounts({ ledger }: Evidence): Problem[] {
  const byAccount = Map.groupBy(ledger.entries, ({ account }) => account);
  return ledger.accounts.flatMap((row, index): Problem[] => {
    const entries = byAccount.get(row.account) ?? [];
    let [prior, current, held, credits, debits] = [0n, 0n, 0n, 0n, 0n];
    let isRight = row.version === entries.length;
    for (const [at, entry] of entries.entries()) {
      prior += fenOf(entry.priorYear);
      current += fenOf(entry.currentYear);
      held += fenOf(entry.held);
      const moved = movedBy(entry);
      if (moved > 0n) credits += moved;
      else debits -= moved;
      if (entry.kind === 'ROLLOVER')
        isRight &&= moved === 0n && entry.held === '0.00' && fenOf(entry.currentYearAfter) === 0n;
      isRight &&= entry.version === at + 1 && prior >= 0n && current >= 0n && held >= 0n;
      isRight &&= fenOf(entry.priorYearAfter) === prior && fenOf(entry.currentYearAfter) === current;
    }
    isRight &&= fenOf(row.priorYear) === prior && fenOf(row.currentYear) === current && fenOf(row.held) === held;
    isRight &&= fenOf(row.credits) === credits && fenOf(row.debits) === debits;
    return isRight ? [] : [money(`account number ${index} is not what its entries add up to`)];
  });
}

/** Money is conserved, told without a look at the entries: what was put in, less what outcomes took, is what is there. */
function judgeWhole({ records, ledger }: Evidence, inputs: readonly Input[]): Problem[] {
  let due = 0n;
  for (const { meaning, isRepeat } of inputs) {
    if (isRepeat) continue;
    if (meaning.kind === 'opening') due += meaning.priorYear + meaning.currentYear;
    if (meaning.kind === 'credit') due += meaning.amount;
  }
  for (const record of records) {
    if (record.topic !== 'settlements') continue;
    const { status, acct_pay, acct_mulaid_pay } = fieldsOf(record);
    // The amounts of a refund are negative.
    if (status === 'SETTLED' || status === 'REFUNDED') due -= fenOf(acct_pay) + fenOf(acct_mulaid_pay);
  }
  const there = sumOf(ledger.accounts.map((row) => fenOf(row.priorYear) + fenOf(row.currentYear) + fenOf(row.held)));
  return there === due ? [] : [money(`the accounts hold ${there} fen and should hold ${due}`)];
}

/**
 * What a payer may share that reaches or leaves nothing pauses or resumes each of their bindings: told once per crossing, in the order
 * of the entries, with the event that did it as its cause; and the binding is left as its last crossing says.
 */
function judgeCrossings({ records, ledger }: Evidence, inputs: readonly Input[]): Problem[] {
  const priorYearOnly = new Set<string>();
  for (const { meaning } of inputs)
    if (meaning.kind === 'opening' && meaning.priorYearOnly) priorYearOnly.add(meaning.account);
  const crossings = new Map<string, string[]>();
  const shared = new Map<string, bigint>();
  for (const [index, entry] of ledger.entries.entries()) {
    const next = ledger.entries[index + 1];
    // Of several postings of one event, as where New Year was found by it, the last one counts.
    if (next?.account === entry.account && next.reference === entry.reference) continue;
    const before = shared.get(entry.account);
    const after = fenOf(entry.priorYearAfter) + (priorYearOnly.has(entry.account) ? 0n : fenOf(entry.currentYearAfter));
    shared.set(entry.account, after);
    if (before === undefined || before > 0n === after > 0n) continue;
    const list = crossings.get(entry.account) ?? [];
    crossings.set(entry.account, list);
    list.push(`${after > 0n ? 'resumed' : 'paused'} by ${entry.kind === 'ROLLOVER' ? 'New Year' : entry.reference}`);
  }
  const told = new Map<string, string[]>();
  for (const record of records) {
    if (record.topic !== 'sharing') continue;
    const { reason, binding_id, cause } = fieldsOf(record);
    if (reason !== 'ZERO_BALANCE') continue;
    const list = told.get(String(binding_id)) ?? [];
    told.set(String(binding_id), list);
    const { ce_type, id } = cause as { readonly ce_type: string; readonly id: string };
    // Found by whatever came next of the payer, and told as of its first moment.
    const isNewYear = !ce_type.startsWith('claim.') && isFirstOfYear(record.headers.ce_time);
    list.push(`${record.headers.ce_type?.replace('sharing.', '')} by ${isNewYear ? 'New Year' : id}`);
  }
  return ledger.bindings.flatMap(({ bindingId, payer, pausedForZeroBalance }): Problem[] => {
    const problems = compareLists(`sharing of ${bindingId}`, crossings.get(payer) ?? [], told.get(bindingId) ?? []);
    const isEmpty = shared.get(payer) === 0n;
    if (isEmpty !== pausedForZeroBalance)
      problems.push({
        kind: 'altered',
        what: `${bindingId} is ${isEmpty ? 'not ' : ''}paused for a balance of nothing`,
      });
    return problems;
  });
}

/** Whether an instant is the first of a year in Shanghai. */
const isFirstOfYear = (instant: string | undefined): boolean =>
  new Date(Date.parse(instant ?? '') + 8 * 3_600_000).toISOString().endsWith('-01-01T00:00:00.000Z');
