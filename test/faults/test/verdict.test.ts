import { describe, expect, test } from 'vitest';
import type { Evidence, Ledger, TopicName } from '../src/evidence.ts';
import type { Problem } from '../src/problems.ts';
import type { LogRecord } from '../src/reader.ts';
import type { Meaning } from '../src/script.ts';
import { judge } from '../src/verdict.ts';
import { rightRun } from './right-run.ts';

type Record = LogRecord<TopicName>;

const kinds = (problems: readonly Problem[]): string[] => [...new Set(problems.map(({ kind }) => kind))].sort();

/** The right run with some records changed, left out (undefined) or doubled. */
const withRecords = (change: (record: Record) => readonly Record[]): Evidence => {
  const run = rightRun();
  return { ...run, records: run.records.flatMap(change) };
};

const withLedger = (changes: Partial<Ledger>): Evidence => {
  const run = rightRun();
  return { ...run, ledger: { ...run.ledger, ...changes } };
};

const isAt = ({ topic, offset }: Record, wanted: TopicName, at: number): boolean => topic === wanted && offset === at;
const edited = (record: Record, from: string, to: string): Record => ({
  ...record,
  value: (record.value ?? '').replace(from, to),
});

test('a right run has no problem', () => {
  expect(judge(rightRun())).toEqual([]);
});

describe('a wrong topic is found', () => {
  test.each<[string, TopicName, number]>([
    ['a settlement', 'settlements', 0],
    ['a refund', 'settlements', 1],
    ['a rejection', 'settlements', 2],
    ['a switch', 'sharing', 0],
    ['a pause for a balance of nothing', 'sharing', 1],
    ['a dead letter', 'dead-letters', 0],
  ])('%s is missing', (_, topic, offset) => {
    expect(kinds(judge(withRecords((each) => (isAt(each, topic, offset) ? [] : [each]))))).toContain('lost');
  });

  test.each<[string, TopicName, number]>([
    ['a settlement', 'settlements', 0],
    ['a pause', 'sharing', 1],
    ['a dead letter', 'dead-letters', 0],
  ])('%s is there twice', (_, topic, offset) => {
    expect(kinds(judge(withRecords((each) => (isAt(each, topic, offset) ? [each, each] : [each]))))).toContain(
      'duplicated',
    );
  });

  test('an outcome is altered by one fen', () => {
    const wrong = withRecords((each) => [isAt(each, 'settlements', 0) ? edited(each, '"1.00"', '"1.01"') : each]);
    expect(kinds(judge(wrong))).toEqual(['altered', 'lost', 'money']);
  });

  test('two outcomes of one key change places', () => {
    const run = rightRun();
    const [first, second, ...rest] = run.records.filter(({ topic }) => topic === 'settlements');
    const others = run.records.filter(({ topic }) => topic !== 'settlements');
    const swapped = [second, first, ...rest].flatMap((each) => each ?? []);
    expect(kinds(judge({ ...run, records: [...others, ...swapped] }))).toContain('order');
  });

  test('a key that was set aside comes after others, and not in another order', () => {
    const run = rightRun();
    const isOfP9 = ({ value }: { readonly value: string | null }) => value?.includes('C2') === true;
    const [claim, refund, rejection, ...rest] = run.records
      .filter(({ topic }) => topic === 'settlements')
      .map((each) => (isOfP9(each) ? { ...each, key: 'P9' } : each));
    const inputs = run.records
      .filter(({ topic }) => topic === 'claims' || topic === 'members')
      .map((each) => (isOfP9(each) ? { ...each, key: 'P9' } : each));
    const sent = run.sent.map((each) => (isOfP9(each) ? { ...each, key: 'P9' } : each));
    const isInOrder = (settlements: readonly (Record | undefined)[], setAside: readonly string[]): boolean => {
      const records = [...inputs, ...settlements, ...rest].flatMap((each) => each ?? []);
      return !kinds(judge({ ...run, sent, records, setAside: new Set(setAside) })).includes('order');
    };
    expect(isInOrder([claim, refund, rejection], [])).toBe(true);
    expect(isInOrder([rejection, claim, refund], [])).toBe(false);
    expect(isInOrder([rejection, claim, refund], ['P1'])).toBe(true);
    expect(isInOrder([rejection, refund, claim], ['P1'])).toBe(false);
  });

  test('a dead letter has other bytes', () => {
    const wrong = withRecords((each) => [isAt(each, 'dead-letters', 0) ? edited(each, 'C2', 'C3') : each]);
    expect(kinds(judge(wrong))).toEqual(['altered', 'lost']);
  });

  test('a sequence has a gap', () => {
    const wrong = withRecords((each) => [
      isAt(each, 'settlements', 2) ? { ...each, headers: { ...each.headers, ce_sequence: '4' } } : each,
    ]);
    expect(kinds(judge(wrong))).toContain('lost');
  });

  test('an acknowledged message is not in the input', () => {
    const wrong = withRecords((each) => (each.topic === 'members' && each.offset === 3 ? [] : [each]));
    expect(kinds(judge(wrong))).toContain('lost');
  });
});

describe('a wrong ledger is found', () => {
  test('an account is one fen off', () => {
    const accounts = rightRun().ledger.accounts.map((each) => ({
      ...each,
      currentYear: each.currentYear.replace('1.00', '1.01'),
    }));
    expect(kinds(judge(withLedger({ accounts })))).toEqual(['money']);
  });

  test('an entry and its account are one fen off together', () => {
    const { accounts, entries } = rightRun().ledger;
    const wrong = {
      accounts: accounts.map((each) =>
        each.account === 'P1' ? { ...each, currentYear: '0.01', debits: '3.99' } : each,
      ),
      entries: entries.map((each) =>
        each.currentYear === '-4.00' ? { ...each, currentYear: '-3.99', currentYearAfter: '0.01' } : each,
      ),
    };
    expect(kinds(judge(withLedger(wrong)))).toEqual(['money']);
  });

  test('an entry is missing', () => {
    const entries = rightRun().ledger.entries.filter(({ kind }) => kind !== 'REFUND');
    expect(kinds(judge(withLedger({ entries })))).toContain('money');
  });

  test('a portion was below nothing on the way', () => {
    const { entries } = rightRun().ledger;
    const wrong = [
      ...entries.slice(1, 2).map((each) => ({ ...each, version: 1, currentYearAfter: '-4.00' })),
      ...entries.slice(0, 1).map((each) => ({ ...each, version: 2, currentYearAfter: '0.00' })),
      ...entries.slice(2),
    ];
    expect(kinds(judge(withLedger({ entries: wrong })))).toEqual(['money']);
  });

  /** The right run whose senders meant something else. */
  const withMeaning = (change: (meaning: Meaning) => Meaning): Evidence => {
    const run = rightRun();
    return { ...run, sent: run.sent.map((each) => ({ ...each, meaning: change(each.meaning) })) };
  };

  test('a binding paid more on a day than its limit', () => {
    const wrong = withMeaning((each) => (each.kind === 'binding' ? { ...each, dailyLimit: 499n } : each));
    expect(judge(wrong)).toEqual([{ kind: 'money', what: expect.stringContaining('may pay 499') }]);
  });

  test('a binding paid more in all than its payer authorised', () => {
    const wrong = withMeaning((each) => (each.kind === 'binding' ? { ...each, authorised: 499n } : each));
    expect(judge(wrong)).toEqual([{ kind: 'money', what: expect.stringContaining('in all paid 500 fen') }]);
  });

  test('a relative’s claim took an account below its floor', () => {
    const wrong = withMeaning((each) =>
      each.kind === 'opening' && each.account === 'P2' ? { ...each, floor: 1n } : each,
    );
    expect(judge(wrong)).toEqual([{ kind: 'money', what: expect.stringContaining('below its floor') }]);
  });

  test('refunds give back more than the claim took', () => {
    const wrong = withMeaning((each) => (each.kind === 'claim' ? { ...each, share: 100n } : each));
    expect(judge(wrong)).toContainEqual({ kind: 'money', what: 'refunds of C1 exceed it' });
  });

  test('New Year moved money', () => {
    const { entries, accounts } = rightRun().ledger;
    const rollover = { ...(entries[4] as (typeof entries)[number]), kind: 'ROLLOVER', reference: '2026', version: 4 };
    const moved = {
      ...rollover,
      priorYear: '1.01',
      currentYear: '-1.00',
      priorYearAfter: '1.01',
      currentYearAfter: '0.00',
    };
    const wrong = {
      entries: [...entries, moved],
      accounts: accounts.map((each) =>
        each.account === 'P2' ? { ...each, version: 4, priorYear: '1.01', currentYear: '0.00', credits: '6.01' } : each,
      ),
    };
    expect(kinds(judge(withLedger(wrong)))).toEqual(['money']);
    const right = {
      entries: [...entries, { ...moved, priorYear: '1.00', priorYearAfter: '1.00' }],
      accounts: wrong.accounts.map((each) =>
        each.account === 'P2' ? { ...each, priorYear: '1.00', credits: '6.00' } : each,
      ),
    };
    expect(judge(withLedger(right))).toEqual([]);
  });

  test('a sharing event comes before its time', () => {
    const run = rightRun();
    const [paused, resumed] = run.records.filter(({ topic, offset }) => topic === 'sharing' && offset > 0);
    const records = run.records.map((each) =>
      each === paused && resumed
        ? { ...resumed, offset: 1 }
        : each === resumed && paused
          ? { ...paused, offset: 2 }
          : each,
    );
    expect(kinds(judge({ ...run, records }))).toContain('order');
  });

  test('a stored outcome was never published', () => {
    const { outcomes, shards } = rightRun().ledger;
    const extra = { topic: 'claims', partition: 0, seq: 5, isDead: false, destSeq: 4, key: 'P1', digest: 'x' } as const;
    const moved = shards.map((each) => (each.topic === 'claims' ? { ...each, outSeq: 5, publishedSeq: 5 } : each));
    expect(kinds(judge(withLedger({ outcomes: [...outcomes, extra], shards: moved })))).toContain('lost');
  });

  test('a binding stays paused although its payer has money', () => {
    const bindings = rightRun().ledger.bindings.map((each) => ({ ...each, pausedForZeroBalance: true }));
    expect(kinds(judge(withLedger({ bindings })))).toEqual(['altered']);
  });
});

describe('what is stuck is found', () => {
  test.each<[string, Partial<Ledger['shards'][number]>]>([
    ['input is not consumed', { nextOffset: 3 }],
    ['outcomes are not published', { publishedSeq: 2 }],
  ])('%s', (_, changes) => {
    const shards = rightRun().ledger.shards.map((each) => ({ ...each, ...changes }));
    expect(kinds(judge(withLedger({ shards })))).toEqual(['stuck']);
  });

  test('work is left', () => {
    expect(kinds(judge(withLedger({ openWork: 1 })))).toEqual(['stuck']);
  });

  test('a transaction hangs open', () => {
    const run = rightRun();
    const ends = run.ends.map((end) => (end.topic === 'settlements' ? { ...end, stable: 3 } : end));
    expect(kinds(judge({ ...run, ends }))).toEqual(['stuck']);
  });
});
