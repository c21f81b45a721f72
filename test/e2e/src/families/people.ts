import { type Family, type Link, MEMBERS, type Member, type WireRecord } from './family.ts';

const RELATIONS = ['SPOUSE', 'PARENT', 'CHILD', 'SIBLING', 'GRANDPARENT', 'GRANDCHILD'];
/** Balances on both sides of every threshold, and far from any. */
const BALANCES = [
  ...[
    '0.00',
    '0.01',
    '36.00',
    '99.99',
    '100.00',
    '123.45',
    '500.00',
    '1234.50',
    '3000.00',
    '3000.01',
    '6000.00',
    '6000.01',
  ],
  ...['6500.00', '9000.00', '12000.00', '25000.00', '88888888.88'],
];

/** Everybody of a family enters: three generations, some with accounts, some in arrears, frozen, closed, retired or abroad. */
export function openPeople(family: Family): WireRecord[] {
  const { random } = family;
  const count = random.int(4, 7);
  return Array.from({ length: count }, (_, index) => {
    const psn_no = `P${String(family.number).padStart(5, '0')}${index}`;
    const isEmployee = index < 2 || random.chance(0.7);
    const area = random.chance(0.8) ? (family.home[0] ?? '') : random.pick(family.home);
    const member: Member = { psn_no, area, insutype: isEmployee ? '310' : '390' };
    family.members.push(member);
    return family.record(MEMBERS, 'account.opened', psn_no, openedAccount(family, member));
  });
}

function openedAccount(family: Family, member: Member): object {
  const { random } = family;
  const { psn_no, insutype, area } = member;
  const isEmployee = insutype === '310';
  const employment = isEmployee ? random.weighted({ ACTIVE: 6, FLEXIBLE: 2, RETIRED: 2 }) : 'NONE';
  const psnTypes = { ACTIVE: '1101', FLEXIBLE: '1103', RETIRED: '1201', NONE: random.pick(['14', '15', '16']) };
  const hasAccount = isEmployee && random.chance(0.96);
  const balances = { prior_year: random.pick(BALANCES), current_year: random.pick(BALANCES) };
  const stated = random.weighted({ both: 90, prior_year: 5, current_year: 5 });
  const portions = hasAccount
    ? { ...(stated === 'both' ? balances : { [stated]: balances[stated] }), as_of: family.moment(0.3) }
    : {};
  return {
    ...{
      psn_no,
      insutype,
      psn_type: psnTypes[employment],
      employment,
      insu_admdvs: area,
      insured: random.chance(0.94),
    },
    ...portions,
    ...(random.chance(0.08) ? { status: random.pick(['FROZEN', 'CLOSED']) } : {}),
    ...(random.chance(family.home.includes('520100') ? 0.25 : 0.08) ? { card_active: false } : {}),
    ...(random.chance(0.12) ? { employer_enabled: false } : {}),
    ...(random.chance(0.6) ? { wallet_open: true } : {}),
    ...(random.chance(0.05)
      ? { unpaid_periods: [family.date(-70).slice(0, 7)], arrears_since: `${family.date(-40).slice(0, 7)}-01` }
      : random.chance(0.05)
        ? { unpaid_periods: [family.date(random.int(-70, 20)).slice(0, 7)] }
        : {}),
    ...(random.chance(0.08) ? { recovered_on: family.date(random.int(-5, 25)) } : {}),
    ...(random.chance(0.5) ? { psn_name: '某某', certno: '110101199003070000' } : {}),
  };
}

/** The family's ties at the start: several payers for one patient and several patients for one payer, in every state. */
export function openLinks(family: Family): WireRecord[] {
  const { random, members } = family;
  const patients = members.slice(-2);
  return members.slice(0, -1).flatMap((payer) => {
    const count = payer.insutype === '310' || random.chance(0.2) ? random.int(1, 3) : 0;
    const others = (random.chance(0.8) ? patients : members).filter((each) => each !== payer);
    return Array.from({ length: count }, () =>
      openLink(family, payer, random.pick(others.length > 0 ? others : members)),
    );
  });
}

/** Another binding enters with the state it has elsewhere. */
function openLink(family: Family, payer: Member, beneficiary: Member): WireRecord {
  const { random } = family;
  const state = random.weighted({ ACTIVE: 84, PAUSED: 7, PENDING: 4, REJECTED: 2, REVOKED: 3 });
  const reasons = ['ARREARS', 'EMPLOYER_OFF', 'USER', 'USER', 'ZERO_BALANCE'];
  const link = newLink(family, payer.psn_no, random.chance(0.03) ? payer.psn_no : beneficiary.psn_no);
  const value = {
    ...bindingFields(family, link),
    ...(state === 'ACTIVE' ? {} : { state }),
    ...(state === 'PAUSED' || random.chance(0.02) ? { pause_reasons: [random.pick(reasons)] } : {}),
  };
  return family.record(MEMBERS, 'binding.opened', link.payer, value);
}

/** A new binding is asked for; the payer's policy decides. Now and then its id is one that exists. */
export function requestLink(family: Family): WireRecord {
  const { random, members } = family;
  const taken = random.chance(0.05) ? family.links.at(-1) : undefined;
  if (taken !== undefined)
    return family.record(MEMBERS, 'binding.requested', taken.payer, bindingFields(family, taken));
  const payer = random.pick(members);
  const others = members.filter((each) => each !== payer || random.chance(0.2));
  const link = newLink(family, payer.psn_no, random.pick(others.length > 0 ? others : members).psn_no);
  family.requested.push(link);
  return family.record(MEMBERS, 'binding.requested', link.payer, bindingFields(family, link));
}

function newLink(family: Family, payer: string, beneficiary: string): Link {
  const link = { binding_id: family.id('B'), payer, beneficiary };
  family.links.push(link);
  return link;
}

function bindingFields(family: Family, link: Link): object {
  const { random } = family;
  return {
    ...link,
    relation: random.chance(0.75) ? random.pick(RELATIONS.slice(0, 3)) : random.pick(RELATIONS),
    bound_at: random.chance(0.3) ? '2024-10-01T09:00:00+08:00' : family.moment(0),
    ...(random.chance(0.04) ? { type: 'KINSHIP_CODE' } : {}),
    ...(random.chance(0.6) ? { priority: random.int(1, 3) } : {}),
    ...(random.chance(0.05) ? { effective_from: family.date(random.int(10, 60)) } : { effective_from: '2024-11-01' }),
    ...(random.chance(0.08) ? { effective_to: family.date(random.int(-20, 90)) } : {}),
    ...(random.chance(0.4)
      ? { daily_limit: random.pick(['0.00', '50.00', '200.00', '480.50', '900.00', '900.00']) }
      : {}),
    ...(random.chance(0.7) ? { authorised_amount: random.pick(['0.00', '30.00', '1000.00', '5000.00']) } : {}),
    ...(random.chance(0.5) ? { premium_registered: true } : {}),
  };
}
