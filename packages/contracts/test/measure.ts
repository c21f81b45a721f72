/** Prints what one claim costs on one core, µs: decode, decide with four relatives, post, encode. `npm run measure`. */
import { applySettlement, Books, type Claim, decideClaim, money } from '@repo/domain';
import { DECODE_LIMITS, decodeClaims, encodeSettlement, type RawMessage } from '../src/index.ts';
import { aBinding, aPerson, aPolicy } from './family.ts';

const ROUNDS = 100_000;
const utf8 = new TextEncoder();

/** A claim of 150.00: 40.00 from the own account, 30.00 from each of three relatives, the fourth is empty; 20.00 in cash. */
const POLICY = aPolicy({ dailyLimitDefault: money('200.00') });
function family(): Books {
  const books = new Books(() => POLICY);
  const payers = [1, 2, 3, 4].map((i) => aPerson(`P${i}`, { currentYear: i === 4 ? '0.00' : '30.00' }));
  const bindings = [4, 3, 2, 1].map((i) => aBinding(`B${i}`, { payer: `P${i}`, beneficiary: 'P0', priority: i }));
  books.load({ persons: [aPerson('P0', { currentYear: '40.00' }), ...payers], bindings });
  return books;
}

const fields = {
  claim_id: 'H33010600001-20250310-000001',
  mdtrt_id: 'M330106202503100001',
  psn_no: 'P0',
  fixmedins_code: 'H33010600001',
  designated: true,
  fix_blng_admdvs: '330106',
  med_type: '11',
  setl_time: '2025-03-10T10:00:00+08:00',
  medfee_sumamt: '350.00',
  fund_pay_sumamt: '200.00',
  hosp_part_amt: '0.00',
  psn_part_amt: '150.00',
  fulamt_ownpay_amt: '10.00',
  overlmt_selfpay: '0.00',
  preselfpay_amt: '20.00',
  inscp_scp_amt: '320.00',
};

const message = (json: string): RawMessage => ({
  key: utf8.encode('P0'),
  value: Buffer.from(json),
  headers: [
    ['ce_specversion', utf8.encode('1.0')],
    ['ce_type', utf8.encode('claim.submitted')],
    ['ce_id', utf8.encode('1')],
    ['ce_time', utf8.encode('2025-03-10T10:00:00+08:00')],
  ],
  timestampMs: Date.UTC(2025, 2, 10, 2),
});

/** Processor time, so that other work on the machine does not count. */
function microsecondsPer(work: () => unknown): number {
  for (let i = 0; i < ROUNDS / 5; i++) work();
  const started = process.cpuUsage();
  for (let i = 0; i < ROUNDS; i++) work();
  const { user, system } = process.cpuUsage(started);
  return (user + system) / ROUNDS;
}

const asText = message(JSON.stringify(fields));
const asNumbers = message(JSON.stringify(fields).replace(/"(\d+\.\d\d)"/g, '$1'));
const claimOf = (raw: RawMessage): Claim => {
  const decoded = decodeClaims(raw, DECODE_LIMITS);
  if (decoded.kind !== 'CLAIM') throw new Error('the measured claim is not well formed');
  return decoded.claim;
};
const claim = claimOf(asText);
const books = family();
const settlement = decideClaim(claim, books, () => POLICY);
const together = () => {
  const read = claimOf(asText);
  const decided = decideClaim(read, books, () => POLICY);
  return Buffer.from(JSON.stringify(encodeSettlement(read, decided, 'S1').payload));
};

const measured: readonly (readonly [string, () => unknown])[] = [
  ['decode, amounts as text', () => claimOf(asText)],
  ['decode, amounts as numbers', () => claimOf(asNumbers)],
  ['decide, four relatives', () => decideClaim(claim, books, () => POLICY)],
  ['load, decide and post', () => applySettlement(claim, settlement, family())],
  ['encode to bytes', () => Buffer.from(JSON.stringify(encodeSettlement(claim, settlement, 'S1').payload))],
  ['decode, decide and encode', together],
];
for (const [name, work] of measured)
  console.log(`${name.padEnd(28)} ${microsecondsPer(work).toFixed(1).padStart(6)} µs`);
