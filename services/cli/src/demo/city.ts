import { type AccountOpened, openAccount } from './account.ts';
import { type BindingOpened, bindFamily, type Person } from './binding.ts';
import { household, type Place } from './household.ts';
import { givenName, surname } from './names.ts';
import { Random } from './random.ts';
import { visitsPerYear } from './visit.ts';

/** Districts of the city (all one pooling area, 3301), by weight of population. */
const DISTRICTS = [
  [13, '330102'],
  [11, '330105'],
  [11, '330106'],
  [5, '330108'],
  [20, '330109'],
  [13, '330110'],
  [8, '330111'],
  [6, '330112'],
  [10, '330113'],
  [4, '330114'],
] as const;

/** Where parents live whose children moved to the city: neighbouring pooling areas and provinces. */
const ELSEWHERE = [
  [30, '330402'],
  [30, '330602'],
  [20, '330502'],
  [12, '320505'],
  [8, '341002'],
] as const;

/** Streams of `Random`: what is drawn for one purpose must not move what is drawn for another. */
const [PLACES, PEOPLE, BINDINGS] = [1, 2, 3];

/** One member event, ready for a bulk load or the topic. */
export type MemberRow =
  | { readonly type: 'account.opened'; readonly value: AccountOpened }
  | { readonly type: 'binding.opened'; readonly value: BindingOpened };

export interface Family {
  readonly people: readonly Person[];
  readonly bindings: readonly BindingOpened[];
}

/**
 * A city of made-up families that depends on nothing but its seed and size. It holds one number per family; a family is
 * made again each time it is asked for (some microseconds), so that 300,000 people cost a few megabytes.
 */
export class City {
  readonly seed: number;
  readonly people: number;
  readonly families: number;
  /** Sum of the yearly visits of the families up to each, for drawing patients. */
  readonly #visits: Float64Array;
  /** How many members of the last family belong to the city, so that it has exactly the number of people asked for. */
  readonly #last: number;

  constructor(options: { readonly seed: number; readonly people: number }) {
    this.seed = options.seed;
    this.people = options.people;
    const visits: number[] = [];
    let [count, total, last] = [0, 0, 0];
    while (count < options.people) {
      const places = this.#places(visits.length);
      last = Math.min(places.length, options.people - count);
      for (const place of places.slice(0, last)) total += visitsPerYear(place);
      count += places.length;
      visits.push(total);
    }
    this.families = visits.length;
    this.#visits = Float64Array.from(visits);
    this.#last = last;
  }

  #places(index: number): Place[] {
    return household(new Random(this.seed, PLACES, index));
  }

  /** The family of that number, always the same. */
  family(index: number): Family {
    const random = new Random(this.seed, PEOPLE, index);
    const names = [surname(random), surname(random)] as const;
    const home = random.weighted(DISTRICTS);
    const places = this.#places(index);
    const away = [false, false].map(() =>
      random.chance(places.some(({ generation }) => generation === 'CHILD') ? 0.12 : 0.4),
    );
    const everyone = places.map((place, member): Person => {
      const moved = place.generation === 'ELDER' && away[place.side];
      const area = moved ? random.weighted(ELSEWHERE) : home;
      const name = `${familyName(random, place, names)}${givenName(random, place.generation, place.sex)}`;
      const identity = { psn_no: personNumber(index, member), psn_name: name, insu_admdvs: area };
      return { ...place, account: openAccount(random, place, identity) };
    });
    const people = index === this.families - 1 ? everyone.slice(0, this.#last) : everyone;
    const bindings = bindFamily(new Random(this.seed, BINDINGS, index), people, (n) => bindingId(index, n));
    return { people, bindings };
  }

  /** Everyone's `account.opened`, then every `binding.opened`; in the order of families. */
  *members(): Generator<MemberRow, void> {
    for (let index = 0; index < this.families; index += 1) {
      const { people, bindings } = this.family(index);
      for (const { account } of people) yield { type: 'account.opened', value: account };
      for (const binding of bindings) yield { type: 'binding.opened', value: binding };
    }
  }

  /** Someone drawn in proportion to how often people of their age see a doctor. */
  patient(random: Random): Person {
    const wanted = random.next() * (this.#visits.at(-1) ?? 0);
    let [low, high] = [0, this.families - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#visits[middle] ?? 0) > wanted) high = middle;
      else low = middle + 1;
    }
    const { people } = this.family(low);
    let left = wanted - (this.#visits[low - 1] ?? 0);
    for (const person of people) {
      left -= visitsPerYear(person);
      if (left < 0) return person;
    }
    // Rounding of the sums can leave a hair beyond the last one.
    const last = people.at(-1);
    if (!last) throw new Error('a family without visits was drawn');
    return last;
  }

  /** The person of a number, or undefined where nobody of this city has it. */
  person(psnNo: string): Person | undefined {
    const match = /^33019(\d{7})(\d)$/.exec(psnNo);
    return match ? this.#known(Number(match[1]))?.people[Number(match[2])] : undefined;
  }

  /** The binding of an id, or undefined. */
  binding(id: string): BindingOpened | undefined {
    const match = /^B(\d{7})-(\d{2})$/.exec(id);
    return match ? this.#known(Number(match[1]))?.bindings[Number(match[2])] : undefined;
  }

  #known(index: number): Family | undefined {
    return index < this.families ? this.family(index) : undefined;
  }
}

const personNumber = (family: number, member: number): string => `33019${String(family).padStart(7, '0')}${member}`;
const bindingId = (family: number, n: number): string =>
  `B${String(family).padStart(7, '0')}-${String(n).padStart(2, '0')}`;

/** Children bear their father's surname, and their parents bear their own fathers'; grandmothers brought their own. */
function familyName(random: Random, { generation, sex, side }: Place, names: readonly [string, string]): string {
  const own = surname(random);
  if (generation === 'CHILD') return names[1];
  return generation === 'ELDER' && sex === 'F' ? own : names[side];
}
