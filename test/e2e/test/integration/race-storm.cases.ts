import { Random } from '../../src/families/random.ts';
import { eventRecord } from '../../src/system/story.ts';
import type { RawRecord } from '../../src/system/topics.ts';
import type { ShardName } from '../../src/workers/shard.ts';

type Wire = Readonly<Record<string, unknown>>;

/** A town with few payers whom many patients draw from at once. */
interface Town {
  readonly area: string;
  readonly payers: readonly string[];
  readonly patients: readonly string[];
}

/** In the first, 100.00 must stay in a payer's account; in the second, payers share what they authorise of their prior-year money. */
const TOWNS: readonly Town[] = [
  { area: '130100', payers: ['A0', 'A1', 'A2'], patients: ['P0', 'P1', 'P2', 'P3'] },
  { area: '150100', payers: ['A3', 'A4'], patients: ['P4', 'P5', 'P6'] },
];
export const FLOORED = ['A0', 'A1', 'A2'];
export const FLOOR = '100.00';
const CLAIM_SHARDS = 3;
const MEMBER_SHARDS = 2;
const ALL = TOWNS.flatMap((town) => [...town.payers, ...town.patients].map((psn_no) => ({ ...town, psn_no })));
const BOUND = '2025-01-05T09:00:00+08:00';
const START = Date.parse('2025-03-10T09:00:00+08:00');

const numberOf = (psn_no: string) => Number(psn_no.slice(1));
export const membersShardOf = (psn_no: string): ShardName => `members/${numberOf(psn_no) % MEMBER_SHARDS}`;
const claimsShardOf = (psn_no: string): ShardName => `claims/${numberOf(psn_no) % CLAIM_SHARDS}`;
export const SHARDS: readonly ShardName[] = ['members/0', 'members/1', 'claims/0', 'claims/1', 'claims/2'];

interface Link {
  readonly binding_id: string;
  readonly payer: string;
  readonly beneficiary: string;
}

/** A seeded stream for each shard, as batches; only what one shard is sent is in order. */
export class Storm {
  readonly family: readonly RawRecord[];
  readonly batches: ReadonlyMap<ShardName, readonly (readonly RawRecord[])[]>;
  /** The highest limit that each limited binding ever had. */
  readonly limits = new Map<string, number>();
  readonly #random: Random;
  readonly #links: Link[] = [];
  readonly #claims: { readonly claim_id: string; readonly psn_no: string }[] = [];
  #count = 0;

  constructor(seed: number, length: number) {
    this.#random = new Random(seed);
    const people = ALL.map(({ psn_no, area }) => this.#open(psn_no, area));
    const links = TOWNS.flatMap(({ payers, patients }) =>
      patients.flatMap((patient) =>
        payers.filter(() => this.#random.chance(0.8)).map((payer) => this.#bind(payer, patient)),
      ),
    );
    this.family = [...people, ...links];
    this.batches = new Map(SHARDS.map((shard) => [shard, Array.from({ length }, () => this.#batch(shard))]));
  }

  #batch(shard: ShardName): RawRecord[] {
    const next = () => (shard.startsWith('claims') ? this.#claimEvent(shard) : this.#memberEvent(shard));
    return Array.from({ length: this.#random.int(1, 3) }, next);
  }

  #claimEvent(shard: ShardName): RawRecord {
    const random = this.#random;
    const { psn_no, area } = random.pick(
      ALL.filter((each) => /^P/.test(each.psn_no) && claimsShardOf(each.psn_no) === shard),
    );
    const mine = this.#claims.filter((each) => each.psn_no === psn_no);
    const at = this.#moment();
    if (mine.length > 0 && random.chance(0.3)) {
      const refund = { refund_id: this.#id('R'), ...random.pick(mine), at };
      return eventRecord('claim.refunded', random.chance(0.5) ? refund : { ...refund, amount: this.#yuan(5, 60) });
    }
    const link = this.#links.find((each) => each.beneficiary === psn_no && random.chance(0.5));
    if (link !== undefined && random.chance(0.15)) {
      const premium_id = this.#id('Q');
      this.#claims.push({ claim_id: premium_id, psn_no });
      const { payer } = link;
      return eventRecord('premium.submitted', {
        premium_id,
        payer,
        beneficiary: psn_no,
        year: 2027,
        amount: '40.00',
        at,
      });
    }
    const claim_id = this.#id('C');
    this.#claims.push({ claim_id, psn_no });
    const share = this.#yuan(5, 160);
    return eventRecord('claim.submitted', {
      claim_id,
      mdtrt_id: `M-${claim_id}`,
      psn_no,
      fixmedins_code: 'H1',
      designated: true,
      fix_blng_admdvs: area,
      med_type: '11',
      setl_time: at,
      medfee_sumamt: share,
      fund_pay_sumamt: '0.00',
      psn_part_amt: share,
    });
  }

  #memberEvent(shard: ShardName): RawRecord {
    const random = this.#random;
    const { psn_no, payers, patients } = random.pick(ALL.filter((each) => membersShardOf(each.psn_no) === shard));
    const at = this.#moment();
    const own = this.#links.filter(({ payer }) => payer === psn_no);
    if (own.length > 0 && random.chance(0.6)) return this.#linkEvent(random.pick(own), at);
    switch (random.weighted({ credit: 40, missed: 12, recovered: 18, status: 10, bind: 20 })) {
      case 'credit':
        return eventRecord('account.credited', { credit_id: this.#id('K'), psn_no, amount: this.#yuan(1, 150), at });
      case 'missed':
        return eventRecord('contribution.missed', {
          psn_no,
          period: this.#period(),
          due_date: `2025-03-${random.int(8, 15).toString().padStart(2, '0')}`,
          at,
        });
      case 'recovered':
        return eventRecord('contribution.recovered', { psn_no, period: this.#period(), at });
      case 'status': {
        const status = random.weighted({ ACTIVE: 3, FROZEN: 1 });
        return eventRecord('account.changed', { change_id: this.#id('H'), psn_no, status, at });
      }
      default:
        return payers.includes(psn_no)
          ? this.#bind(psn_no, random.pick(patients))
          : eventRecord('account.credited', { credit_id: this.#id('K'), psn_no, amount: '7.77', at });
    }
  }

  #linkEvent({ binding_id, payer }: Link, at: string): RawRecord {
    const random = this.#random;
    const type = random.weighted({ paused: 25, resumed: 30, revoked: 4, changed: 41 });
    const value = { binding_id, payer, at };
    if (type !== 'changed') return eventRecord(`binding.${type}`, value);
    const daily_limit = this.#yuan(10, 120);
    const facts = random.pick<Wire>([
      { priority: random.int(1, 4) },
      { authorised_amount: this.#yuan(0, 200) },
      ...(this.limits.has(binding_id) ? [{ daily_limit }] : []),
    ]);
    if ('daily_limit' in facts) this.#limit(binding_id, daily_limit);
    return eventRecord('binding.changed', { ...value, change_id: this.#id('H'), ...facts });
  }

  #open(psn_no: string, insu_admdvs: string): RawRecord {
    const prior_year = psn_no.startsWith('A') ? '400.00' : '20.00';
    const person = { psn_no, insutype: '310', psn_type: '1101', employment: 'ACTIVE', insu_admdvs, insured: true };
    return eventRecord('account.opened', { ...person, prior_year, as_of: BOUND });
  }

  #bind(payer: string, beneficiary: string): RawRecord {
    const random = this.#random;
    const binding_id = this.#id('B');
    this.#links.push({ binding_id, payer, beneficiary });
    const link = {
      binding_id,
      payer,
      beneficiary,
      relation: random.pick(['SPOUSE', 'PARENT', 'CHILD']),
      bound_at: BOUND,
    };
    const settings = { priority: random.int(1, 4), authorised_amount: this.#yuan(50, 300) };
    if (random.chance(0.4)) return eventRecord('binding.opened', { ...link, ...settings });
    const daily_limit = this.#yuan(20, 120);
    this.#limit(binding_id, daily_limit);
    return eventRecord('binding.opened', { ...link, ...settings, daily_limit });
  }

  #limit(binding_id: string, daily_limit: string): void {
    this.limits.set(binding_id, Math.max(Number(daily_limit), this.limits.get(binding_id) ?? 0));
  }

  #id(prefix: string): string {
    this.#count += 1;
    return `${prefix}${this.#count}`;
  }

  #yuan = (least: number, most: number): string => (this.#random.int(least * 100, most * 100) / 100).toFixed(2);

  #period = (): string => `2025-0${this.#random.int(1, 3)}`;

  /** Two days, so that limits are met; never the same moment twice, as transitions are known by theirs. */
  #moment(): string {
    this.#count += 1;
    return new Date(START + this.#random.int(0, 1) * 86_400_000 + this.#count * 1_000).toISOString();
  }
}
