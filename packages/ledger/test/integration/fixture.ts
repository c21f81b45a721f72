import { hash } from 'node:crypto';
import {
  applySettlement,
  BEGINNING,
  type Binding,
  type Claim,
  date,
  decideClaim,
  type MemberEvent,
  money,
  type Period,
  type Person,
  type Policy,
  type PolicyLookup,
} from '@repo/domain';
import { cloneDatabase } from '@repo/testkit';
import { afterEach } from 'vitest';
import { booksOf, Ledger, loadMembers, migrate, type ShardLease, schemaKey, writeBatch } from '../../src/index.ts';

/** A database of this test's own, and the ledger as the worker's role sees it. */
export async function openLedger(): Promise<{ url: string; ledger: Ledger }> {
  const { url } = await cloneDatabase({ key: schemaKey(), migrate });
  return { url, ledger: await Ledger.open({ url, role: 'gongji_worker', name: 'test' }) };
}

const opened: Ledger[] = [];
afterEach(async () => {
  for (const ledger of opened.splice(0)) await ledger.close();
});

/** Closes a ledger when the test is over. */
export function kept(ledger: Ledger): Ledger {
  opened.push(ledger);
  return ledger;
}

/** As `openLedger`, until the test is over. */
export async function fresh(): Promise<{ url: string; ledger: Ledger }> {
  const { url, ledger } = await openLedger();
  return { url, ledger: kept(ledger) };
}

/** The same database as its owner sees it. */
export const owner = async (url: string): Promise<Ledger> => kept(await Ledger.open({ url, name: 'owner' }));

const at = Date.parse('2025-03-10T10:00:00+08:00');

export const person = (personNo: string, balance: string): Person => ({
  personNo,
  insuranceKind: '310',
  personCategory: '1101',
  employment: 'ACTIVE',
  insuredArea: '330106',
  purse: { year: 2025, priorYear: money(balance), currentYear: money('0.00') },
  status: 'ACTIVE',
  cardActive: true,
  employerEnabled: true,
  walletOpen: false,
  uninsuredSince: null,
  arrearsSince: null,
  spellSince: null,
  lastSpellStart: BEGINNING,
  recoveredOn: null,
  asOfPeriod: '2025-01' as Period,
});

export const binding = (payer: string, beneficiary: string, priority: number): Binding => ({
  bindingId: `${payer}-${beneficiary}`,
  payer,
  beneficiary,
  relation: 'SPOUSE',
  type: 'FAMILY_SHARING',
  state: 'ACTIVE',
  holds: new Map(),
  priority,
  boundAt: at,
  effectiveFrom: date('2025-01-01'),
  effectiveTo: null,
  dailyLimit: null,
  authorisedAmount: null,
  premiumRegistered: false,
});

/** Plain rules: everything allowed, nothing limited. */
export const rules: PolicyLookup = () => POLICY;
const POLICY = {
  region: '000000',
  version: 'test',
  sharingEnabled: true,
  allowedRelations: new Set(['SPOUSE']),
  allowedServiceClasses: new Set(['OUTPATIENT']),
  excludedPurposes: new Set(),
  accountScope: 'PERSONAL_BURDEN',
  poolAreaDigits: 4,
  institutionScope: 'NATIONWIDE',
  memberScope: 'NATIONWIDE',
  requireWalletCrossProvince: false,
  ownRequiresCrossRegionFiling: false,
  requireCardActive: false,
  inactiveOwnCardBlocksSharing: false,
  requireBeneficiaryInsured: false,
  requireEmployerEnabled: false,
  sharablePortion: 'TOTAL',
  shareThreshold: null,
  minRemaining: money('0.00'),
  dailyLimitDefault: null,
  dailyLimitMax: null,
  dailyLimitRequired: false,
  perClaimPayerCap: null,
  payerOrder: 'CONFIGURED_PRIORITY',
  portionOrder: 'CURRENT_YEAR_FIRST',
  ownAccountUsableInArrears: true,
  pauseOnArrears: true,
  retireesExempt: true,
  pauseOnZeroBalance: true,
  contributionDueDay: 'LAST',
  arrearsGraceDays: 0,
  resumeWaitDays: 0,
  resumeMode: 'AUTO',
  maxPayersPerBeneficiary: null,
  maxBeneficiariesPerPayer: null,
  maxFamiliesPerPerson: null,
  bindRequiresNormalContribution: true,
  premiumEnabled: true,
  premiumRelations: new Set(['SPOUSE']),
  premiumRequiresRegistration: false,
  residentPremium: new Map(),
  nhsaAcctPayIncludesMulaid: false,
  nhsaFundIncludesAcct: false,
} as const satisfies Policy;

/** Opens persons and bindings as a bulk load does. */
export async function open(
  ledger: Ledger,
  people: readonly Person[],
  bindings: readonly Binding[] = [],
): Promise<void> {
  const cause = { type: 'test', id: 'test' };
  const opened = people.map((who): MemberEvent & { kind: 'ACCOUNT_OPENED' } => ({
    kind: 'ACCOUNT_OPENED',
    at,
    cause,
    person: who,
    name: null,
    unpaidPeriods: [],
    arrearsSince: null,
    asOf: at,
  }));
  const bound = bindings.map((one): MemberEvent & { kind: 'BINDING_OPENED' } => ({
    kind: 'BINDING_OPENED',
    at,
    cause,
    binding: one,
  }));
  const events = [...opened, ...bound].map((event, n) => ({
    event,
    identity: `load:${n}`,
    contentHash: Buffer.from([n]),
  }));
  await loadMembers(ledger, events, { policyOf: rules, partitionOf: () => 0 });
}

export const claim = (claimId: string, personNo: string, amount: string): Claim => ({
  claimId,
  encounterId: 'M1',
  personNo,
  providerCode: 'H33010600001',
  designated: true,
  providerArea: '330106',
  visitType: '11',
  purpose: 'MEDICAL',
  crossRegionFiled: false,
  accountsUsed: true,
  settledAt: at,
  settledAtText: '2025-03-10T10:00:00+08:00',
  senderSettlementId: null,
  totalFee: money(amount),
  fundPaid: money('0.00'),
  hospitalBorne: money('0.00'),
  personalShare: money(amount),
  scope: { fullyOwnPaid: null, overLimit: null, preSelfPaid: null, inScope: null },
});

export async function lease(ledger: Ledger, partition: number): Promise<ShardLease> {
  const shard = { topic: 'claims', partition };
  const { epoch, nextOffset, outSeq, publishedSeq } = await ledger.acquireShard(shard, 'test', 2);
  return { shard, epoch, nextOffset, outSeq, publishedSeq };
}

/** Settles claims as the worker does, in the least code: lock, read, decide, write; between reading and writing, whatever `meanwhile` does. */
export async function settle(
  ledger: Ledger,
  held: ShardLease,
  claims: readonly Claim[],
  meanwhile: () => Promise<unknown> = async () => {},
): Promise<ShardLease> {
  const nextOffset = held.nextOffset + BigInt(claims.length);
  await ledger.transact(async (tx) => {
    const shard = await tx.lockShard(held);
    const people = claims.map(({ personNo }) => personNo);
    const persons = await tx.lockPersons([], people);
    const bindings = await tx.bindingsOf({ beneficiaries: people });
    tx.requireLocked(bindings);
    const books = booksOf(rules, { persons, bindings });
    const outcomes = claims.map((one) => {
      const settlement = decideClaim(one, books, rules);
      applySettlement(one, settlement, books);
      return {
        dest: 'R' as const,
        key: Buffer.from(one.personNo),
        stamp: '{}',
        payload: Buffer.from(settlement.status),
      };
    });
    const ids = claims.map(({ claimId }, outcome) => ({
      id: `claim:${claimId}`,
      contentHash: hash('sha256', claimId, 'buffer'),
      ...{ outcome, offset: held.nextOffset + BigInt(outcome) },
    }));
    await meanwhile();
    await writeBatch(tx, held, shard, nextOffset, { books, outcomes, ids, facts: false });
  });
  return { ...held, nextOffset };
}
