import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Auditor,
  checkSequences,
  checkSums,
  compareAccounts,
  compareOutcomes,
  FAMILY_PACKS,
  generateRounds,
  type PublishedRecord,
  SHIPPED_PACKS,
  toEvent,
} from '../src/index.ts';
import { publish } from './published.ts';
import { Scene } from './scene.ts';

/** Two claims of P1, each paid by two relatives, then a dead letter. */
function scene() {
  const given = new Scene();
  given.person('P1', '0.00', '40.00');
  given.person('P2', '0.00', '600.00');
  given.person('P3', '0.00', '300.00');
  given.bind('B1', 'P2', { priority: 1, daily_limit: '60.00' });
  given.bind('B2', 'P3', { priority: 2 });
  const expected = [...given.claim('150.00'), ...given.claim('100.00', '2025-03-11'), ...given.claim('1.005')];
  return { given, expected, published: publish(expected) };
}

function change(records: readonly PublishedRecord[], index: number, edit: (value: Record<string, unknown>) => object) {
  return records.map((record, at) => {
    if (at !== index) return record;
    const value = JSON.parse(record.value) as Record<string, unknown>;
    return { ...record, value: JSON.stringify({ ...value, ...edit(value) }) };
  });
}

describe('the comparison', () => {
  it('finds nothing where all is well, whatever setl_id, policy version and offset notation are', () => {
    const { expected, published } = scene();
    const worded = change(published, 0, (value) => ({
      setl_time: '2025-03-10T04:00:00.000Z',
      policy: (value.policy as object[]).map((each) => ({ ...each, version: '7' })),
    }));
    expect(compareOutcomes(expected, worded)).toEqual([]);
  });

  it('reports one fen too much, by path', () => {
    const { expected, published } = scene();
    expect(
      compareOutcomes(
        expected,
        change(published, 0, () => ({ psn_cash_pay: '0.01' })),
      ),
    ).toEqual([
      {
        kind: 'field',
        topic: 'settlements',
        key: 'P1',
        subject: 'claim_id C1',
        path: 'psn_cash_pay',
        expected: '0.00',
        actual: '0.01',
      },
    ]);
  });

  it('reports a missing outcome, an extra one and an extra field', () => {
    const { expected, published } = scene();
    const kinds = (records: readonly PublishedRecord[]) =>
      compareOutcomes(expected, records).map((each) => [each.kind, each.subject]);
    expect(kinds(published.slice(1))).toEqual([['missing', 'claim_id C1']]);
    const [stranger] = change(published, 0, () => ({ claim_id: 'C9' })).map((each) => ({
      ...each,
      headers: { ce_type: 'settlement.settled', ce_id: 'x' },
    }));
    expect(kinds(stranger === undefined ? [] : [...published, stranger])).toEqual([['extra', 'claim_id C9']]);
    expect(kinds(change(published, 1, () => ({ note: 1 })))).toEqual([['field', 'claim_id C2']]);
  });

  it('reports a duplicate, by its id and also under a new id', () => {
    const { expected, published } = scene();
    for (const ce_id of ['id 0', 'another']) {
      const again = published.slice(0, 1).map((each) => ({ ...each, headers: { ...each.headers, ce_id } }));
      expect(compareOutcomes(expected, [...published, ...again]).map((each) => [each.kind, each.subject])).toEqual([
        ['duplicate', 'claim_id C1'],
      ]);
    }
  });

  it('reports relatives who paid in the wrong order', () => {
    const { expected, published } = scene();
    const swapped = change(published, 0, (value) => {
      const [own, first, second] = value.allocation as object[];
      return { allocation: [own, second, first] };
    });
    const paths = compareOutcomes(expected, swapped).map((each) => each.path);
    expect(paths).toContain('allocation[1].account');
    expect(paths).toContain('allocation[2].amount');
  });

  it('reports a wrong code, in an outcome and in a dead letter', () => {
    const { expected, published } = scene();
    const recoded = change(published, 1, (value) => ({
      skipped: (value.skipped as object[]).map((each) => ({ ...each, code: 'PAYER_ZERO_BALANCE' })),
    })).map((each) =>
      each.topic === 'dead-letters' ? { ...each, headers: { 'gongji-code': 'CLAIM_MALFORMED' } } : each,
    );
    expect(compareOutcomes(expected, recoded).map((each) => [each.topic, each.path])).toEqual([
      ['settlements', 'skipped[0].code'],
      ['dead-letters', 'code'],
    ]);
  });

  it('reports two outcomes of one key that changed places', () => {
    const { expected, published } = scene();
    const [first, second, ...rest] = published;
    const swapped = first === undefined || second === undefined ? [] : [second, first, ...rest];
    expect(compareOutcomes(expected, swapped).map((each) => [each.kind, each.subject])).toEqual([
      ['order', 'claim_id C1'],
    ]);
  });
});

describe('the sums', () => {
  it('find an outcome that does not add up, and a gap or repeat of the sequence', () => {
    const { published } = scene();
    expect([checkSums(published), checkSequences(published)]).toEqual([[], []]);
    expect(checkSums(change(published, 0, () => ({ psn_cash_pay: '0.01' })))).toEqual([{ law: 'I2', subject: 'C1' }]);
    const [first, ...rest] = published;
    expect(checkSequences(first === undefined ? [] : [first, first, ...rest])).toHaveLength(1);
    expect(checkSequences(published.filter((_, index) => index !== 1))).toHaveLength(1);
  });

  it('find a ledger that is one fen off, and one without an account', () => {
    const { given } = scene();
    const accounts = given.auditor.persons().flatMap((each) => given.auditor.account(each, '2025-03-31') ?? []);
    const shown = new Map(accounts.map((each) => [each.psn_no, { ...each } as Record<string, unknown>]));
    expect(compareAccounts(accounts, shown)).toEqual([]);
    shown.set('P2', { ...shown.get('P2'), current_year: '480.01' });
    shown.delete('P3');
    expect(compareAccounts(accounts, shown)).toEqual([
      { law: 'current_year must be "480.00" and is "480.01"', subject: 'P2' },
      { law: 'account is missing', subject: 'P3' },
    ]);
  });
});

describe('any stream', () => {
  it('agrees with itself, and not with itself less one record', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (seed, lost) => {
        const auditor = new Auditor([...SHIPPED_PACKS, ...FAMILY_PACKS]);
        const expected = generateRounds({ seed, families: 4, events: 15 })
          .flat()
          .flatMap((record) => auditor.apply(toEvent(record)));
        const published = publish(expected);
        expect(compareOutcomes(expected, published)).toEqual([]);
        expect(checkSums(published)).toEqual([]);
        const less = published.filter((_, index) => index !== lost % published.length);
        expect(compareOutcomes(expected, less).map((each) => each.kind)).toContain('missing');
      }),
      { numRuns: 25 },
    );
  });
});
