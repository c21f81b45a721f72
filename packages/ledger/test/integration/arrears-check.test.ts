import {
  type AccountStatus,
  addDays,
  applyArrearsCheck,
  BEGINNING,
  type Binding,
  blockRule,
  type CalendarDate,
  date,
  type Employment,
  type MemberEvent,
  money,
  monthsDue,
  type PauseReason,
  type Period,
  type PolicyLookup,
} from '@repo/domain';
import { afterEach, expect, test } from 'vitest';
import { concernedIn, type Ledger, loadMembers, MemberWorld, readChunk } from '../../src/index.ts';
import { binding, openLedger, person, rules } from './fixture.ts';

const ON = date('2025-04-20');
const AT = Date.parse('2025-01-10T10:00:00+08:00');
const MONTHS = ['2024-11', '2024-12', '2025-01', '2025-02', '2025-03', '2025-04', '2025-05'] as Period[];
const PEOPLE = 400;
const CHUNK = 23;
const cause = { type: 'test', id: 'test' };

/** Due on the last day, on the 10th with grace, and on the 25th until the end of February; where nobody pauses, and where retirees do. */
const policyOf: PolicyLookup = (area, on) => {
  const policy = rules(area, on);
  if (area === '440104') return { ...policy, pauseOnArrears: false };
  if (area === '350203') return { ...policy, retireesExempt: false };
  if (area === '110101') return { ...policy, contributionDueDay: 10, arrearsGraceDays: 40 };
  return area === '210102' && on < '2025-03-01' ? { ...policy, contributionDueDay: 25 } : policy;
};

const opened: Ledger[] = [];
afterEach(async () => {
  for (const ledger of opened.splice(0)) await ledger.close();
});

/** A linear congruential generator: the same town from the same seed. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const nameOf = (n: number): string => `P${String(n).padStart(4, '0')}`;
const partitionOf = (personNo: string): number => Number(personNo.slice(1)) % 2;

/**
 * Everything that may tell one person from another here: kind, employment, area, account, months paid, missed and imported unpaid, what
 * their binding is held for and whether it has ended.
 */
function* events(random: (below: number) => number): Generator<MemberEvent> {
  const pick = <T>(first: T, ...others: T[]): T => others[random(others.length + 1)] ?? first;
  for (let n = 0; n < PEOPLE; n += 1) {
    const personNo = nameOf(n);
    const who = {
      ...person(personNo, '10.00'),
      insuranceKind: pick('310', '310', '310', '390'),
      employment: pick<Employment>('ACTIVE', 'ACTIVE', 'FLEXIBLE', 'RETIRED', 'NONE'),
      personCategory: pick('1101', '1101', '1101', '1201'),
      insuredArea: pick('110101', '210102', '330106', '350203', '440104'),
      status: pick<AccountStatus>('ACTIVE', 'ACTIVE', 'FROZEN', 'CLOSED'),
      asOfPeriod: pick('2024-10', '2024-12', '2025-01', '2025-02', '2025-05') as Period,
      uninsuredSince: pick(null, null, null, date('2025-01-05')),
      purse: random(5) > 0 ? { year: pick(2024, 2025), priorYear: money('10.00'), currentYear: money('0.00') } : null,
    };
    const unpaidPeriods = MONTHS.filter((period) => period <= who.asOfPeriod && random(8) === 0);
    yield {
      kind: 'ACCOUNT_OPENED',
      at: AT,
      cause,
      person: who,
      name: null,
      unpaidPeriods,
      arrearsSince: null,
      asOf: AT,
    };
    if (random(3) > 0) {
      const emptied = random(4) === 0 ? [['ZERO_BALANCE', date('2024-12-01')] as const] : [];
      const behind = random(3) === 0 ? [['ARREARS', BEGINNING] as const] : [];
      const holds = new Map<PauseReason, CalendarDate>([...emptied, ...behind]);
      const ended = pick<Partial<Binding>>({}, {}, {}, {}, { effectiveTo: addDays(ON, random(3) - 1) });
      const revoked = pick<Partial<Binding>>({}, {}, {}, {}, { state: 'REVOKED', holds: new Map() });
      const bound = {
        ...binding(personNo, nameOf(random(PEOPLE)), 1),
        state: holds.size === 0 ? 'ACTIVE' : 'PAUSED',
        holds,
      } as const;
      yield { kind: 'BINDING_OPENED', at: AT, cause, binding: { ...bound, ...ended, ...revoked } };
    }
    for (const period of MONTHS) {
      const fate = random(6);
      if (fate === 0)
        yield { kind: 'CONTRIBUTION_MISSED', at: AT, cause, personNo, period, dueDate: date(`${period}-20`) };
      if (fate > 1)
        yield { kind: 'CONTRIBUTION_PAID', at: AT, cause, personNo, period, amount: null, reference: `${n}${period}` };
    }
  }
}

/** Walks a shard as the worker does, in small stretches. */
async function select(ledger: Ledger, partition: number) {
  const found: string[] = [];
  let looked = 0;
  for (let after = ''; ; ) {
    const last = await ledger.transact(async (tx) => {
      const { last, count, areas, since, behindIn } = await readChunk(tx, partition, after, CHUNK);
      looked += count;
      if (last === null) return null;
      const months =
        since === null
          ? []
          : areas.flatMap((area) => monthsDue(area, since, ON, policyOf).map((month) => ({ area, ...month })));
      const blocking = behindIn.map((area) => blockRule(area, ON, policyOf));
      found.push(...(await concernedIn(tx, partition, { after, last, on: ON, months, rules: blocking })));
      return last;
    });
    if (last === null) return { found, looked };
    after = last;
  }
}

/** Those in whom the domain, given everybody, finds something to mark, and those of whom it only tells something. */
function decide(ledger: Ledger, partition: number): Promise<{ behind: string[]; told: string[] }> {
  const everybody = Array.from({ length: PEOPLE }, (_, n) => nameOf(n)).filter((who) => partitionOf(who) === partition);
  return ledger.transact(async (tx) => {
    const world = await MemberWorld.load(tx, [], policyOf, everybody, everybody);
    const decided = everybody.map((who) => ({ who, ...applyArrearsCheck(world, who, ON, cause) }));
    const only = (chosen: typeof decided) => chosen.map(({ who }) => who);
    return {
      behind: only(decided.filter(({ marked }) => marked > 0)),
      told: only(decided.filter(({ marked, events }) => marked === 0 && events.length > 0)),
    };
  });
}

test.each([1, 2, 3])(
  'the persons a check is about are found by sets as the domain would decide one by one, town %i',
  async (seed) => {
    const { ledger } = await openLedger();
    opened.push(ledger);
    const random = randomFrom(seed);
    const town = [...events(random)].map((event, n) => ({
      event,
      identity: `load:${n}`,
      contentHash: Buffer.from([1]),
    }));
    await loadMembers(ledger, town, { policyOf, partitionOf });
    const waiting = Array.from({ length: 20 }, () => nameOf(random(PEOPLE)));
    await ledger.rows(
      `insert into shard_work (partition, payer, kind, due_on, detail) select partition, psn_no, 'GRACE', '2025-04-01', '{}' from account where psn_no = any($1)`,
      [waiting],
    );
    for (const partition of [0, 1]) {
      const [{ behind, told }, { found, looked }] = [await decide(ledger, partition), await select(ledger, partition)];
      const emptied = await ledger.rows<{ payer: string }>(
        `select payer from binding join account on psn_no = payer where held_zero_balance is not null and year < 2025 and partition = $1`,
        [partition],
      );
      const here = waiting.filter((who) => partitionOf(who) === partition);
      expect(looked).toBe(PEOPLE / 2);
      expect(behind.length).toBeGreaterThan(10);
      expect(behind.length).toBeLessThan(PEOPLE / 4);
      expect(told.length).toBeGreaterThan(5);
      expect(told.length).toBeLessThan(PEOPLE / 4);
      const expected = [...behind, ...told, ...here, ...emptied.map(({ payer }) => payer)];
      expect(found.sort()).toEqual([...new Set(expected)].sort());
    }
  },
);
