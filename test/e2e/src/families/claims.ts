import { CLAIMS, type Family, type Member, type SentClaim, type WireRecord, yuan } from './family.ts';
import { HOMES } from './packs.ts';

const MED_TYPES = {
  ...{ '11': 30, '12': 2, '13': 3, '140104': 3, '15': 1, '16': 1, '21': 8, '2101': 2, '28': 1, '41': 15 },
  ...{ '51': 2, '5212': 2, '81': 1, '3101': 1, '3102': 1, '9107': 2, '99': 1 },
};

/** One input of the claims topic: mostly claims, then refunds and premiums, then what must be turned away. */
export function claimEvent(family: Family): WireRecord {
  const { random, claims } = family;
  if (family.refundNext !== undefined) return refund(family);
  const choice = random.weighted({ claim: 62, refund: 14, premium: 11, broken: 7, repeated: 6 });
  if (choice === 'refund') return refund(family);
  if (choice === 'premium') return premium(family);
  if (choice === 'broken') return brokenClaim(family);
  if (choice === 'repeated' && claims.length > 0) return repeatedClaim(family, random.pick(claims));
  return claim(family);
}

function patientOf(family: Family): Member {
  const { random, members } = family;
  return random.pick(random.chance(0.65) ? members.slice(-2) : members);
}

function claim(family: Family): WireRecord {
  const patient = patientOf(family);
  const claim_id = family.id('C');
  const { value, part } = claimFields(family, patient, claim_id);
  const isAsNumbers = family.random.chance(0.2);
  const record = family.record(
    CLAIMS,
    'claim.submitted',
    patient.psn_no,
    value,
    isAsNumbers ? asNumbers(value) : undefined,
  );
  family.claims.push({ claim_id, psn_no: patient.psn_no, kind: 'claim', part, record });
  return record;
}

/** The same content with its amounts as JSON numbers, digits unchanged. */
function asNumbers(value: object): string {
  return JSON.stringify(value).replaceAll(/"((?!psn_no)\w+)":"(\d+\.\d\d)"/g, '"$1":$2');
}

function claimFields(
  family: Family,
  patient: Member,
  claim_id: string,
): { value: Record<string, unknown>; part: bigint } {
  const { random } = family;
  const part = partAmount(family);
  const fund = random.chance(0.5) ? BigInt(random.int(0, 400_000)) : 0n;
  const hospital = random.chance(0.1) ? BigInt(random.int(1, 9_999)) : 0n;
  const total = part + fund + hospital;
  const ownPaid = BigInt(Math.floor(Number(part < 1_000_000n ? part : 0n) * random.pick([0, 0.1, 0.5, 1])));
  const scopes = {
    fulamt_ownpay_amt: ownPaid,
    overlmt_selfpay: 0n,
    preselfpay_amt: 0n,
    inscp_scp_amt: total - ownPaid,
  };
  const value = {
    ...{ claim_id, mdtrt_id: family.id('M'), psn_no: patient.psn_no, fixmedins_code: 'H33010600001' },
    designated: random.chance(0.97),
    fix_blng_admdvs: institutionArea(family, patient),
    med_type: random.weighted(MED_TYPES),
    setl_time: family.moment(0.08),
    ...{ medfee_sumamt: yuan(total), fund_pay_sumamt: yuan(fund), psn_part_amt: yuan(part) },
    ...(hospital > 0n ? { hosp_part_amt: yuan(hospital) } : {}),
    ...(random.chance(0.06) ? { purpose: random.pick(['FITNESS', 'PUBLIC_HEALTH', 'COSMETIC', 'WELLNESS']) } : {}),
    ...(random.chance(0.3) ? { cross_region_filed: true } : {}),
    ...(random.chance(0.05) ? { acct_used_flag: '0' } : {}),
    ...(random.chance(0.3) ? { medins_setl_id: family.id('S') } : {}),
    ...(random.chance(0.4) ? Object.fromEntries(Object.entries(scopes).map(([name, fen]) => [name, yuan(fen)])) : {}),
  };
  return { value, part };
}

function partAmount(family: Family): bigint {
  const { random } = family;
  const size = random.weighted({ none: 3, fen: 4, small: 62, middle: 22, large: 5, huge: 1 });
  if (size === 'none') return 0n;
  if (size === 'fen') return 1n;
  if (size === 'small') return BigInt(random.int(100, 20_000));
  if (size === 'middle') return BigInt(random.int(20_000, 300_000));
  return size === 'large' ? BigInt(random.int(300_000, 3_000_000)) : 9_000_000_000_000_000n;
}

function institutionArea(family: Family, patient: Member): string {
  const { random } = family;
  const place = random.weighted({ near: 75, province: 15, far: 10 });
  if (place === 'near') return patient.area;
  return place === 'province' ? `${patient.area.slice(0, 2)}9900` : (random.pick(HOMES)[0] ?? patient.area);
}

function refund(family: Family): WireRecord {
  const { random, claims } = family;
  const recent = claims.length === 0 || random.chance(0.05) ? null : random.pick(claims.slice(-12));
  const wanted = family.refundNext ?? recent;
  family.refundNext = undefined;
  const claim_id = wanted?.claim_id ?? family.id('C');
  const psn_no = wanted === null || random.chance(0.03) ? random.pick(family.members).psn_no : wanted.psn_no;
  const amount = wanted === null ? '1.00' : refundAmount(family, wanted);
  const value = {
    refund_id: family.id('R'),
    claim_id,
    psn_no,
    at: family.moment(),
    ...(amount === null ? {} : { amount }),
  };
  return family.record(CLAIMS, 'claim.refunded', psn_no, value);
}

/** All of it, a part, a fen too much, or no amount at all; a premium mostly in full. */
function refundAmount(family: Family, { part, kind }: SentClaim): string | null {
  const { random } = family;
  const choice = random.weighted({ all: 40, part: 45, over: 7, invalid: 8 });
  if (choice === 'invalid') return random.pick(['0.00', '-5.00', '1.005', 'abc']);
  if (choice === 'over') return yuan(part + 1n);
  const isWhole = choice === 'all' || part < 3n || (kind === 'premium' && random.chance(0.8));
  if (isWhole) return null;
  return yuan((part * BigInt(random.int(5, 70))) / 100n + 1n);
}

function premium(family: Family): WireRecord {
  const { random, links, members } = family;
  const ofRecovered = links.filter(({ payer }) => family.recovered === payer);
  const chosen = ofRecovered.length > 0 && random.chance(0.5) ? ofRecovered : links;
  const link = chosen.length === 0 || random.chance(0.04) ? null : random.pick(chosen);
  const payer = link?.payer ?? random.pick(members).psn_no;
  const beneficiary = link?.beneficiary ?? random.pick(members).psn_no;
  const premium_id = family.id('Q');
  const amount = random.chance(0.06)
    ? random.pick(['0.00', '400.001', '-1.00'])
    : random.pick(['400.00', '380.00', '350.00', '123.00']);
  const year = random.pick([2024, 2025, 2025, 2026, 2027]);
  const value = { premium_id, payer, beneficiary, year, amount, at: family.moment() };
  const record = family.record(CLAIMS, 'premium.submitted', beneficiary, value);
  const fen = BigInt(amount.replace(/\D/g, '').slice(0, 5));
  family.claims.push({ claim_id: premium_id, psn_no: beneficiary, kind: 'premium', part: fen, record });
  return record;
}

/** The same record again, the same content in other words, or the same id with other content. */
function repeatedClaim(family: Family, { record }: SentClaim): WireRecord {
  const { random } = family;
  const type = record.headers.ce_type ?? '';
  const choice = random.weighted({ same: 5, reworded: 2, changed: 3 });
  let text = record.value;
  if (choice === 'reworded') text = `{"unknown_field":1,${text.slice(1)}`;
  if (choice === 'changed') text = text.replace(/"(mdtrt_id|payer)":"/, '"$1":"X');
  return family.record(CLAIMS, type, record.key, {}, text);
}

/** A claim with exactly one defect. */
function brokenClaim(family: Family): WireRecord {
  const { random } = family;
  const patient = patientOf(family);
  const { value } = claimFields(family, patient, family.id('C'));
  const send = (changed: object, type = 'claim.submitted', key = patient.psn_no) =>
    family.record(CLAIMS, type, key, changed);
  switch (
    random.weighted({ missing: 3, type: 2, future: 1, amount: 4, identity: 4, unknown: 4, key: 2, event: 1, text: 1 })
  ) {
    case 'missing':
      return send({
        ...value,
        [random.pick(['mdtrt_id', 'designated', 'setl_time', 'psn_part_amt', 'claim_id'])]: undefined,
      });
    case 'type':
      return send({
        ...value,
        ...random.pick([{ designated: 'yes' }, { setl_time: '2025-13-01' }, { acct_used_flag: 2 }]),
      });
    case 'future':
      return send({ ...value, setl_time: '2099-01-01T00:00:00Z' });
    case 'amount':
      return send({ ...value, psn_part_amt: random.pick(['1.005', '-1.00', 'abc', '100000000000000.00']) });
    case 'identity':
      return send({ ...value, medfee_sumamt: random.chance(0.5) ? '1.23' : '77777777.77' });
    case 'unknown':
      return send({ ...value, psn_no: `${patient.psn_no}9` }, 'claim.submitted', `${patient.psn_no}9`);
    case 'key':
      return send(value, 'claim.submitted', `${patient.psn_no}8`);
    case 'event':
      return send(value, 'claim.exploded');
    default:
      return family.record(
        CLAIMS,
        'claim.submitted',
        patient.psn_no,
        {},
        random.pick(['[1]', '{"claim_id":', '"text"']),
      );
  }
}
