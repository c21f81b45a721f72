import { describe, expect, it } from 'vitest';
import {
  Auditor,
  countCodes,
  FAMILY_PACKS,
  generateRounds,
  missingCodes,
  SHIPPED_PACKS,
  type StreamOptions,
  toEvent,
} from '../src/index.ts';

function run(options: StreamOptions) {
  const auditor = new Auditor([...SHIPPED_PACKS, ...FAMILY_PACKS]);
  const records = generateRounds(options).flat();
  return { auditor, records, outputs: records.flatMap((record) => auditor.apply(toEvent(record))) };
}

const yuan = (fen: bigint) => `${fen / 100n}.${String(fen % 100n).padStart(2, '0')}`;
const fen = (amount: unknown) => BigInt(String(amount).replace('.', ''));

describe('generated families', () => {
  it('reach every code, and each kind of source pays often, within twenty-two thousand events', () => {
    const { records, outputs } = run({ seed: 1, families: 340, events: 50 });
    const counts = countCodes(outputs);
    expect(records.length).toBeLessThan(22_000);
    expect(missingCodes(counts)).toEqual([]);
    expect(counts.get('OWN:PAID')).toBeGreaterThan(1500);
    expect(counts.get('RELATIVE:PAID')).toBeGreaterThan(750);
  });

  it('are the same for the same seed, and others for another', () => {
    const options = { seed: 7, families: 5, events: 20 };
    expect(generateRounds(options)).toEqual(generateRounds(options));
    expect(generateRounds({ ...options, seed: 8 })).not.toEqual(generateRounds(options));
  });

  it('have one topic and one key each in a round, and nobody in common', () => {
    const [people, links, ...rounds] = generateRounds({ seed: 3, families: 20, events: 30 });
    const familyOf = (key: string | null) => (key ?? 'none').slice(0, 6);
    expect(new Set(people?.map((each) => familyOf(each.key))).size).toBe(20);
    expect(links?.length).toBeGreaterThan(40);
    for (const round of rounds) {
      for (const records of Map.groupBy(round, ({ key }) => familyOf(key)).values()) {
        expect(new Set(records.map(({ topic, key }) => `${topic} ${key}`)).size).toBe(1);
      }
    }
  });

  it('end with accounts that equal what entered, less what was debited, plus what came back', () => {
    const { auditor, records, outputs } = run({ seed: 5, families: 60, events: 50 });
    const totals = new Map<string, bigint>();
    const add = (psn_no: unknown, amount: bigint) =>
      totals.set(String(psn_no), (totals.get(String(psn_no)) ?? 0n) + amount);
    // An input enters once, and only if it was not turned away; what came twice has the same id.
    const entered = new Set<string>();
    const refused = new Set(outputs.flatMap((each) => (each.topic === 'dead-letters' ? [each.input] : [])));
    records.forEach(({ headers, value }, input) => {
      if (refused.has(input) || !/opened|credited|received/.test(headers.ce_type ?? '')) return;
      const event = JSON.parse(value);
      const id = `${headers.ce_type} ${event.credit_id ?? event.contribution_id ?? event.psn_no}`;
      if (entered.has(id) || event.psn_no === undefined) return;
      entered.add(id);
      for (const name of ['prior_year', 'current_year', 'amount']) add(event.psn_no, fen(event[name] ?? '0.00'));
    });
    for (const output of outputs) {
      if (output.topic !== 'settlements') continue;
      const { value, type } = output;
      const lists = { allocation: -1n, returned: 1n };
      for (const [name, sign] of Object.entries(lists)) {
        for (const each of (value[name] ?? []) as Record<string, unknown>[]) {
          if (each.account !== undefined && each.manual !== true) add(each.account, sign * fen(each.amount));
        }
      }
      if (type === 'premium.settled') add(value.payer, -fen(value.amount));
    }
    for (const psn_no of auditor.persons()) {
      expect(auditor.account(psn_no, '2026-12-31')?.balance ?? '0.00').toBe(yuan(totals.get(psn_no) ?? 0n));
    }
  });
});
