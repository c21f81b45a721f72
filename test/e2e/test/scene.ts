import type { ExpectedOutput, ExpectedRecord, Pack } from '../src/index.ts';
import { Auditor, FAMILY_PACKS, SHIPPED_PACKS } from '../src/index.ts';

type Wire = Record<string, unknown>;

/** A few people of 130200 (nothing but the country's own rules) unless told otherwise, and short ways to say what happens to them. */
export class Scene {
  readonly auditor: Auditor;
  readonly #area: string;
  #count = 0;

  constructor(area = '130200', packs: readonly Pack[] = []) {
    this.auditor = new Auditor([...SHIPPED_PACKS, ...FAMILY_PACKS, ...packs]);
    this.#area = area;
  }

  send(topic: 'claims' | 'members', type: string, key: string, value: Wire): ExpectedOutput[] {
    return this.auditor.apply({ topic, type, key, value, timestamp: Date.parse('2026-01-31T00:00:00Z') });
  }

  /** An account of 310 as of 2025-01-01 with these portions. */
  person(psn_no: string, prior_year: string, current_year: string, rest: Wire = {}): ExpectedOutput[] {
    const kind = { insutype: '310', psn_type: '1101', employment: 'ACTIVE', insu_admdvs: this.#area, insured: true };
    const portions = { prior_year, current_year, as_of: '2025-01-01T00:00:00+08:00' };
    return this.send('members', 'account.opened', psn_no, { psn_no, ...kind, ...portions, ...rest });
  }

  /** A spouse's binding from 2024 on, without a priority. */
  bind(binding_id: string, payer: string, rest: Wire = {}, beneficiary = 'P1'): ExpectedOutput[] {
    const value = {
      binding_id,
      payer,
      beneficiary,
      relation: 'SPOUSE',
      bound_at: '2024-12-01T00:00:00+08:00',
      ...rest,
    };
    return this.send('members', 'binding.opened', payer, value);
  }

  /** An event of a person that needs only its moment (noon of a date) and some facts. */
  member(type: string, psn_no: string, date: string, rest: Wire): ExpectedOutput[] {
    return this.send('members', type, psn_no, { psn_no, at: noon(date), ...rest });
  }

  /** A transition or setting of a binding at noon of a date. */
  move(type: string, binding_id: string, payer: string, date: string, rest: Wire = {}): ExpectedOutput[] {
    return this.send('members', type, payer, { binding_id, payer, at: noon(date), ...rest });
  }

  /** P1's outpatient claim at noon of a date with nothing paid by the fund; its outputs. */
  claim(psn_part_amt: string, date = '2025-03-10', rest: Wire = {}): ExpectedOutput[] {
    this.#count += 1;
    const value = {
      ...{ claim_id: `C${this.#count}`, mdtrt_id: 'M1', psn_no: 'P1', fixmedins_code: 'H1', designated: true },
      ...{ fix_blng_admdvs: this.#area, med_type: '11', setl_time: noon(date) },
      ...{ medfee_sumamt: psn_part_amt, fund_pay_sumamt: '0.00', psn_part_amt },
      ...rest,
    };
    return this.send('claims', 'claim.submitted', String(value.psn_no), value);
  }

  refund(claim_id: string, amount: string | null, date = '2025-03-11', rest: Wire = {}): ExpectedOutput[] {
    this.#count += 1;
    const value = { refund_id: `R${this.#count}`, claim_id, psn_no: 'P1', at: noon(date), ...rest };
    return this.send('claims', 'claim.refunded', String(value.psn_no), amount === null ? value : { ...value, amount });
  }

  balances(psn_no: string, date = '2025-03-31'): (string | null | undefined)[] {
    const account = this.auditor.account(psn_no, date);
    return [account?.prior_year, account?.current_year];
  }
}

export function noon(date: string): string {
  return `${date}T12:00:00+08:00`;
}

/** The one output there must be. */
export function only(outputs: readonly ExpectedOutput[]): ExpectedRecord {
  const [output] = outputs;
  if (outputs.length !== 1 || output === undefined || output.topic === 'dead-letters')
    throw new Error('expected one outcome');
  return output;
}

/** The first output: the settlement, where pauses it implies follow it. */
export function settlement(outputs: readonly ExpectedOutput[]): Wire {
  const [output] = outputs;
  if (output?.topic !== 'settlements') throw new Error('expected a settlement first');
  return output.value;
}

/** Who paid what, in order, then the cash: "P2 60.00". */
export function split(outputs: readonly ExpectedOutput[]): string[] {
  const value = settlement(outputs);
  const paid = (value.allocation as Wire[]).map((each) => `${String(each.account)} ${String(each.amount)}`);
  return [...paid, `cash ${String(value.psn_cash_pay)}`];
}

/** Who was skipped and why, in order: "P3 PAYER_IN_ARREARS". */
export function skips(outputs: readonly ExpectedOutput[]): string[] {
  return (settlement(outputs).skipped as Wire[]).map((each) => `${String(each.account)} ${String(each.code)}`);
}

/** Dead-letter codes among the outputs. */
export function deadLetters(outputs: readonly ExpectedOutput[]): string[] {
  return outputs.flatMap((output) => (output.topic === 'dead-letters' ? [output.code] : []));
}

/** Sharing events in short: "paused ARREARS 2025-01-21 PAUSED". */
export function sharing(outputs: readonly ExpectedOutput[]): string[] {
  return outputs.flatMap((output) => {
    if (output.topic !== 'sharing') return [];
    const { reason, effective_on, state } = output.value;
    return [`${output.type.replace('sharing.', '')} ${String(reason)} ${String(effective_on)} ${String(state)}`];
  });
}
