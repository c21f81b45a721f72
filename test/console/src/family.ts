/** One message of an input topic. */
export interface Message {
  readonly type: string;
  readonly value: Readonly<Record<string, unknown>>;
}

const AREA = '210102';
const DAY_MS = 86_400_000;

/** A date of Shanghai, `days` before the day of `now`. */
const dayBefore = (now: number, days: number): string =>
  new Date(now + 8 * 3_600_000 - days * DAY_MS).toISOString().slice(0, 10);

/** Today's date of Shanghai. */
export const dayOf = (now: number): string => dayBefore(now, 0);

const at = (day: string, time = '10:00') => `${day}T${time}:00+08:00`;

const person = (psn_no: string, psn_name: string, over: object = {}): Message => ({
  type: 'account.opened',
  value: {
    psn_no,
    psn_name,
    insutype: '310',
    psn_type: '1101',
    employment: 'ACTIVE',
    insu_admdvs: AREA,
    insured: true,
    prior_year: '0.00',
    current_year: '0.00',
    as_of: new Date().toISOString(),
    ...over,
  },
});

const binding = (
  binding_id: string,
  payer: string,
  beneficiary: string,
  relation: string,
  over: object = {},
): Message => ({
  type: 'binding.opened',
  value: { binding_id, payer, beneficiary, relation, bound_at: '2026-01-05T09:00:00+08:00', ...over },
});

const claim = (claim_id: string, psn_no: string, share: string, setl_time: string, over: object = {}): Message => ({
  type: 'claim.submitted',
  value: {
    claim_id,
    mdtrt_id: `MDT${claim_id}`,
    psn_no,
    fixmedins_code: 'H21010200001',
    designated: true,
    fix_blng_admdvs: AREA,
    med_type: '11',
    setl_time,
    medfee_sumamt: (Number(share) + 230.5).toFixed(2),
    fund_pay_sumamt: '230.50',
    psn_part_amt: share,
    ...over,
  },
});

/** The people of the scene by what they are to each other. */
export const PEOPLE = {
  father: '210102198203140011',
  mother: '210102198406020022',
  son: '210102201509080013',
  daughter: '210102201201170024',
  grandfather: '210102195505050015',
  aunt: '210102198811110026',
} as const;

/** A citizen number that a sender put into a claim. */
export const CERTIFICATE = '21010220120117234X';

/**
 * A father and a mother who pay for their two children, a grandfather and an aunt who help; the mother has missed a month. `lastTuesday`
 * is the claim that left 50.00 in cash.
 */
export function familyOf(now: number) {
  const today = dayBefore(now, 0);
  const weekday = new Date(now + 8 * 3_600_000).getUTCDay();
  // The Tuesday of the week before this one.
  const tuesday = dayBefore(now, ((weekday + 6) % 7) + 6);
  const { father, mother, son, daughter, grandfather, aunt } = PEOPLE;
  const members = [
    person(father, '王建国', { prior_year: '1860.00', current_year: '742.35' }),
    person(mother, '李淑梅', { prior_year: '310.00', current_year: '95.10' }),
    person(grandfather, '王德福', { psn_type: '1201', employment: 'RETIRED', prior_year: '50.00' }),
    person(aunt, '王丽华', { prior_year: '40.00' }),
    person(son, '王小明', {
      insutype: '390',
      psn_type: '14',
      employment: 'NONE',
      prior_year: undefined,
      current_year: undefined,
    }),
    person(daughter, '王小雨', {
      insutype: '390',
      psn_type: '14',
      employment: 'NONE',
      prior_year: undefined,
      current_year: undefined,
    }),
    binding('B-father-son', father, son, 'CHILD', { priority: 1, daily_limit: '100.00' }),
    binding('B-mother-son', mother, son, 'CHILD', { priority: 2 }),
    binding('B-grandfather-son', grandfather, son, 'GRANDCHILD', { priority: 3 }),
    binding('B-father-daughter', father, daughter, 'CHILD', { priority: 1 }),
    binding('B-aunt-daughter', aunt, daughter, 'SIBLING', { priority: 2 }),
    binding('B-father-mother', father, mother, 'SPOUSE', { priority: 1, state: 'PAUSED', pause_reasons: ['USER'] }),
    binding('B-aunt-grandfather', aunt, grandfather, 'PARENT', { state: 'PENDING' }),
  ];
  const missed = {
    type: 'contribution.missed',
    value: { psn_no: mother, period: dayBefore(now, 40).slice(0, 7), due_date: dayBefore(now, 20) },
  };
  const claims = [
    // Paid by the mother before it is known that she had missed October.
    claim('C-2001', son, '120.00', at(dayBefore(now, 16)), { fixmedins_code: 'H21010200007' }),
    claim('C-2002', daughter, '66.40', at(dayBefore(now, 14), '15:20'), {
      med_type: '41',
      fixmedins_code: 'P21010200315',
    }),
    claim('C-2003', mother, '48.00', at(dayBefore(now, 13))),
  ];
  const later = [
    claim('C-2010', son, '200.00', at(tuesday, '09:40')),
    claim('C-2011', daughter, '2480.00', at(dayBefore(now, 4), '11:05'), {
      ...{ med_type: '21', psn_name: '王小雨', certno: CERTIFICATE },
    }),
    claim('C-2012', son, '35.80', at(today, '08:30'), { med_type: '41', fixmedins_code: 'P21010200315' }),
    claim('C-2013', daughter, '90.00', at(today, '09:10'), { designated: false }),
    {
      type: 'claim.refunded',
      value: { refund_id: 'R-1', claim_id: 'C-2011', psn_no: daughter, at: at(dayBefore(now, 3)), amount: '60.00' },
    },
  ];
  const closing = {
    type: 'account.changed',
    value: { change_id: 'A-1', psn_no: aunt, at: at(today, '07:00'), status: 'CLOSED' },
  };
  const afterClosing = {
    type: 'claim.refunded',
    value: { refund_id: 'R-2', claim_id: 'C-2011', psn_no: daughter, at: at(today, '09:30') },
  };
  return { members, claims, missed, later, closing, afterClosing, today, tuesday, lastTuesday: 'C-2010' };
}

/** One of the people of the busy day; the next pays for this one by the binding `D-n`. */
export const busyPerson = (n: number): string => `2101021970010${1000 + n}X`;

/** Claims of a busy day for people who have some money: for the board. */
export function busyDay(now: number, people: number): { members: Message[]; claims: Message[] } {
  const today = dayBefore(now, 0);
  const numbers = Array.from({ length: people }, (_, n) => busyPerson(n));
  return {
    members: [
      ...numbers.map((psn_no, n) =>
        person(psn_no, '某人', { prior_year: `${(n * 37) % 400}.00`, ...(n % 9 === 0 ? { status: 'FROZEN' } : {}) }),
      ),
      ...numbers.slice(1).map((psn_no, n) => binding(`D-${n}`, psn_no, numbers[n] ?? '', 'SPOUSE')),
    ],
    claims: numbers.flatMap((psn_no, n) =>
      [0, 1, 2].map((turn) => {
        const hour = 8 + ((n * 7 + turn * 3) % 10);
        const time = `${String(hour).padStart(2, '0')}:${String((n * 13) % 60).padStart(2, '0')}`;
        return claim(`D-${n}-${turn}`, psn_no, `${40 + ((n * 17 + turn * 29) % 160)}.50`, at(today, time), {
          med_type: ['11', '41', '13'][turn],
        });
      }),
    ),
  };
}

/** People who become known late. */
export const latePerson = (n: number): string => `2101021980020${2000 + n}X`;

/** Credits that come before the accounts they are for. */
export const creditsTooEarly = (now: number): Message[] =>
  Array.from({ length: 10 }, (_, n) => ({
    type: 'account.credited',
    value: { credit_id: `K-${n}`, psn_no: latePerson(n), amount: '20.00', at: at(dayBefore(now, 0), '09:00') },
  }));

/** The accounts of the first so many late people. */
export const lateAccounts = (count: number): Message[] =>
  Array.from({ length: count }, (_, n) => person(latePerson(n), '迟到的人', { prior_year: '5.00' }));

/** Claims of two people of the busy day: of each the first is one that a worker is made to fail on. */
export const brokenClaims = (now: number): Message[] =>
  [
    ['C-broken-1', busyPerson(20)],
    ['C-behind-1', busyPerson(20)],
    ['C-behind-2', busyPerson(20)],
    ['C-broken-2', busyPerson(21)],
  ].map(([id = '', personNo = '']) => claim(id, personNo, '10.00', at(dayBefore(now, 0), '16:00')));
