import { type Family, type Link, MEMBERS, type WireRecord } from './family.ts';
import { requestLink } from './people.ts';

/** One input of the members topic: contributions, credits, changes, transitions, and what must be turned away. */
export function memberEvent(family: Family): WireRecord {
  const { random } = family;
  switch (random.weighted({ month: 30, credit: 12, account: 16, link: 26, request: 10, broken: 4, repeated: 4 })) {
    case 'month':
      return monthEvent(family);
    case 'credit':
      return creditEvent(family);
    case 'account':
      return accountEvent(family);
    case 'link':
      return linkEvent(family);
    case 'request':
      return requestLink(family);
    case 'broken':
      return brokenMember(family);
    default:
      return repeatedMember(family);
  }
}

/** Months missed, received and recovered, in and out of order. */
function monthEvent(family: Family): WireRecord {
  const { random } = family;
  const due_date = family.date(random.int(-50, 3));
  const choice = random.weighted({ missed: 30, recovered: 35, received: 35 });
  const known = choice !== 'missed' && random.chance(0.75) ? family.missed.pop() : undefined;
  const { psn_no, period } = known ?? { psn_no: random.pick(family.members).psn_no, period: due_date.slice(0, 7) };
  const at = family.moment();
  if (choice === 'missed') {
    family.missed.push({ psn_no, period });
    return family.record(MEMBERS, 'contribution.missed', psn_no, {
      psn_no,
      period,
      due_date,
      ...(random.chance(0.8) ? { at } : {}),
    });
  }
  if (known !== undefined) family.recovered = psn_no;
  if (choice === 'recovered') return family.record(MEMBERS, 'contribution.recovered', psn_no, { psn_no, period, at });
  const paid = { contribution_id: family.id('K'), psn_no, period, at };
  const value = random.chance(0.6) ? { ...paid, amount: random.pick(['86.40', '240.00', '1000.00']) } : paid;
  return family.record(MEMBERS, 'contribution.received', psn_no, value);
}

function creditEvent(family: Family): WireRecord {
  const { random } = family;
  const { psn_no } = random.pick(family.members);
  const amount = random.pick(['0.01', '120.00', '333.33', '4000.00']);
  const reason = random.pick(['CONTRIBUTION', 'INTEREST', 'INHERITANCE', 'ADJUSTMENT']);
  return family.record(MEMBERS, 'account.credited', psn_no, {
    credit_id: family.id('D'),
    psn_no,
    amount,
    at: family.moment(),
    reason,
  });
}

function accountEvent(family: Family): WireRecord {
  const { random } = family;
  if (random.chance(0.15)) return closing(family);
  if (random.chance(family.home.includes('430200') ? 0.6 : 0.1)) return employerSwitch(family);
  const member = random.pick(family.members);
  const { psn_no } = member;
  const facts = random.pick([
    { status: random.weighted({ ACTIVE: 75, FROZEN: 15, CLOSED: 10 }) },
    { card_active: random.chance(0.7) },
    { employer_enabled: random.chance(0.55) },
    { wallet_open: random.chance(0.6) },
    { insured: random.chance(0.65) },
    ...(member.insutype === '310'
      ? [{ employment: random.pick(['ACTIVE', 'FLEXIBLE']) }, { employment: 'RETIRED', psn_type: '1201' }]
      : []),
  ]);
  return family.record(MEMBERS, 'account.changed', psn_no, {
    change_id: family.id('H'),
    psn_no,
    at: family.moment(0.03),
    ...facts,
  });
}

/** An employer switches the function off, and later on again. */
function employerSwitch(family: Family): WireRecord {
  const { random, employersOff, members, links } = family;
  const known = random.chance(0.75) ? employersOff.shift() : undefined;
  const payer = links.length > 0 ? random.pick(links).payer : random.pick(members).psn_no;
  const { psn_no } = known ?? { psn_no: payer };
  if (known === undefined) employersOff.push(...members.filter((each) => each.psn_no === psn_no));
  const value = { change_id: family.id('H'), psn_no, at: family.moment(0), employer_enabled: known !== undefined };
  return family.record(MEMBERS, 'account.changed', psn_no, value);
}

/** Somebody who may have paid for a recent claim closes the account; the claim is refunded next. */
function closing(family: Family): WireRecord {
  const { random, claims, links, members } = family;
  const claim = claims.slice(-6).find((each) => each.kind === 'claim');
  const payer = links.find((link) => link.beneficiary === claim?.psn_no)?.payer ?? random.pick(members).psn_no;
  const psn_no = random.chance(0.5) ? payer : (claim?.psn_no ?? payer);
  family.refundNext = claim;
  const value = { change_id: family.id('H'), psn_no, at: family.moment(0), status: 'CLOSED' };
  return family.record(MEMBERS, 'account.changed', psn_no, value);
}

function linkEvent(family: Family): WireRecord {
  const { random } = family;
  if (family.links.length === 0) return requestLink(family);
  const type = random.weighted({ approved: 28, rejected: 6, revoked: 6, changed: 24, paused: 16, resumed: 20 });
  const link = linkFor(family, type);
  const { binding_id, payer } = link;
  const value = { binding_id, payer, at: family.moment(0.03) };
  const send = (rest: object) => family.record(MEMBERS, `binding.${type}`, payer, { ...value, ...rest });
  if (type === 'resumed')
    return send(random.pick([{}, { reason: 'USER' }, { reason: 'ARREARS' }, { reason: 'ARREARS' }]));
  if (type !== 'changed') return send({});
  const settings = random.pick([
    { priority: random.int(1, 4) },
    { daily_limit: random.pick(['0.00', '60.00', '700.00', null]) },
    { authorised_amount: random.pick(['0.00', '25.00', '2000.00']) },
    { effective_to: random.pick([family.date(-3), family.date(30), null]) },
    { premium_registered: random.chance(0.7) },
  ]);
  return send({ change_id: family.id('H'), ...settings });
}

/** Mostly a binding for which the transition makes sense, otherwise any. */
function linkFor(family: Family, type: string): Link {
  const { random, links, requested, paused } = family;
  const fitting = type === 'approved' || type === 'rejected' ? requested : type === 'resumed' ? paused : [];
  const link = (random.chance(0.85) ? fitting.shift() : undefined) ?? random.pick(links);
  if (type === 'paused') paused.push(link);
  return link;
}

/** One defect each: unknown person or binding, foreign key, missing field, unknown type, unreadable text. */
function brokenMember(family: Family): WireRecord {
  const { random } = family;
  const { psn_no } = random.pick(family.members);
  const at = family.moment(0);
  const stranger = `${psn_no}7`;
  const change = { change_id: family.id('H'), psn_no, at, card_active: true };
  switch (random.weighted({ person: 2, binding: 2, key: 2, missing: 2, type: 1, text: 1, paid: 1 })) {
    case 'person':
      return family.record(MEMBERS, 'account.changed', stranger, { ...change, psn_no: stranger });
    case 'binding': {
      // One that nobody opened, or somebody else's.
      const binding_id =
        family.links.length > 0 && random.chance(0.5) ? random.pick(family.links).binding_id : family.id('B');
      return family.record(MEMBERS, 'binding.paused', psn_no, { binding_id, payer: psn_no, at });
    }
    case 'key':
      return family.record(MEMBERS, 'account.changed', stranger, change);
    case 'missing':
      return family.record(MEMBERS, 'account.changed', psn_no, { ...change, at: undefined });
    case 'type':
      return family.record(MEMBERS, 'account.exploded', psn_no, change);
    case 'paid':
      return family.record(MEMBERS, 'refund.paid', psn_no, { refund_id: family.id('R'), psn_no, at, amount: '5.00' });
    default:
      return family.record(MEMBERS, 'account.changed', psn_no, {}, 'not json');
  }
}

/** An earlier record again, as it was or with another moment under the same id. */
function repeatedMember(family: Family): WireRecord {
  const { random } = family;
  const earlier = random.pick(family.sent.filter(({ topic }) => topic === MEMBERS));
  const type = earlier.headers.ce_type ?? '';
  const text = random.chance(0.6)
    ? earlier.value
    : earlier.value.replace(/"(at|bound_at|as_of)":"[^"]*"/, `"$1":"${family.moment(0)}"`);
  return family.record(MEMBERS, type, earlier.key, {}, text);
}
