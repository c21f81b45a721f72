import { findInsuredIn, findOutcome, type RowSource, type StoredOutcome } from '@repo/ledger';
import { notFound } from './problem.ts';
import type { Access } from './scopes.ts';

/**
 * Those of these persons whose own data, balance included, may be shown. A caller cannot tell a hidden person from one who does not exist.
 */
export async function visiblePersons(
  access: Access,
  source: RowSource,
  persons: readonly string[],
): Promise<ReadonlySet<string>> {
  if (access.everything) return new Set(persons);
  const own = persons.filter((person) => access.persons.has(person));
  if (access.areas.length === 0 || own.length === persons.length) return new Set(own);
  return new Set([...own, ...(await findInsuredIn(source, persons, access.areas))]);
}

/** The persons that a list may be about; null = all. */
export const visibleRange = ({ everything, persons, areas }: Access) =>
  everything ? null : { persons: [...persons], areas: [...areas] };

/** Whom a claim, or the published outcome of a claim or premium, is about. */
export interface Concern {
  readonly fixmedins_code?: unknown;
  readonly psn_no?: unknown;
  readonly payer?: unknown;
  readonly beneficiary?: unknown;
}

/** Whether a claim or premium may be shown: to its institution, to its patient, and a premium to its payer and beneficiary. */
export async function isVisible(access: Access, source: RowSource, concern: Concern): Promise<boolean> {
  const { fixmedins_code: institution, psn_no: patient, payer, beneficiary } = concern;
  if (access.everything || (typeof institution === 'string' && access.institutions.has(institution))) return true;
  const persons = [patient, payer, beneficiary].filter((person) => typeof person === 'string');
  return (await visiblePersons(access, source, persons)).size > 0;
}

/**
 * The published outcome of a claim or premium with its refunds. Throws `no-such-settlement` where there is none that the caller may see.
 */
export async function settlementOf(access: Access, source: RowSource, claimId: string): Promise<StoredOutcome> {
  const outcome = await findOutcome(source, `claim:${claimId}`, claimId);
  const concern = outcome && (JSON.parse(outcome.payload) as Concern);
  if (concern === undefined || !(await isVisible(access, source, concern))) throw notFound('settlement');
  return outcome as StoredOutcome;
}

/** Whether a refund may be shown: to those who may see its claim, and to the person it names. */
export async function isRefundVisible(access: Access, source: RowSource, payload: string): Promise<boolean> {
  if (access.everything) return true;
  const { claim_id: claimId, psn_no } = JSON.parse(payload) as { claim_id: string; psn_no: string };
  if (await isVisible(access, source, { psn_no })) return true;
  const claim = await findOutcome(source, `claim:${claimId}`, claimId);
  return claim !== undefined && isVisible(access, source, JSON.parse(claim.payload) as Concern);
}
