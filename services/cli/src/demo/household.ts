import type { Generation, Sex } from './names.ts';
import type { Random } from './random.ts';

/** Someone's place in a family, before they have a name, an insurance or an account. */
export interface Place {
  readonly generation: Generation;
  readonly sex: Sex;
  readonly age: number;
  /** Whose side of the family: a wife is on side 0 and her husband on side 1, each with their own parents. */
  readonly side: 0 | 1;
}

/**
 * Kinds of household. The weights were set so that ages come out near the 2020 census of Hangzhou (13 % under 15, 70 % from
 * 15 to 59, 17 % of 60 and more), a little older, because it is families with elders that share accounts.
 */
const KINDS = [
  [16, 'THREE_GENERATIONS'],
  [30, 'PARENTS_AND_CHILDREN'],
  [14, 'COUPLE'],
  [28, 'SINGLE'],
  [12, 'ELDERS_AND_GROWN_CHILD'],
] as const;

/** Who lives in the family, elders first. At most nine, so that one digit numbers them. */
export function household(random: Random): Place[] {
  const kind = random.weighted(KINDS);
  switch (kind) {
    case 'THREE_GENERATIONS': {
      const adults = couple(random, random.between(27, 47));
      return [...elders(random, adults, 0.88), ...adults, ...children(random, adults)];
    }
    case 'PARENTS_AND_CHILDREN': {
      const adults = couple(random, random.between(26, 50));
      // One family in eight is a parent alone.
      return random.chance(0.125)
        ? [...adults.slice(0, 1), ...children(random, adults)]
        : [...adults, ...children(random, adults)];
    }
    case 'COUPLE':
      return couple(random, random.between(24, 58));
    case 'SINGLE': {
      const adult = grownUp(random, random.between(19, 38));
      return [...elders(random, [adult], 0.45), adult];
    }
    case 'ELDERS_AND_GROWN_CHILD': {
      const adult = grownUp(random, random.between(32, 56));
      return [...elders(random, [adult], 0.9), adult];
    }
    default:
      return kind satisfies never;
  }
}

const grownUp = (random: Random, age: number): Place => ({
  generation: 'ADULT',
  sex: random.chance(0.5) ? 'F' : 'M',
  age,
  side: 0,
});

/** Wife first, so that a family of one parent is more often a mother's. */
function couple(random: Random, age: number): Place[] {
  const older = Math.max(-4, Math.min(9, Math.round(random.normal(2, 2.5))));
  return [
    { generation: 'ADULT', sex: 'F', age, side: 0 },
    { generation: 'ADULT', sex: 'M', age: Math.max(22, age + older), side: 1 },
  ];
}

function elders(random: Random, adults: readonly Place[], alive: number): Place[] {
  return adults
    .flatMap(({ age, side }) => {
      const mother = age + random.between(22, 31);
      return [
        { generation: 'ELDER', sex: 'F', age: mother, side },
        { generation: 'ELDER', sex: 'M', age: mother + random.between(-1, 5), side },
      ] satisfies Place[];
    })
    .filter((elder) => random.chance(elder.age < 72 ? alive : alive * Math.max(0.15, 1 - (elder.age - 72) / 25)));
}

/** One child in most families, two in a third, as in the years of the one-child and two-child rules. */
function children(random: Random, [mother]: readonly Place[]): Place[] {
  const count = random.weighted([
    [64, 1],
    [32, 2],
    [4, 3],
  ]);
  const eldest = Math.max(0, Math.min(21, (mother?.age ?? 30) - random.between(24, 33)));
  return Array.from(
    { length: count },
    (_, index): Place => ({
      generation: 'CHILD',
      sex: random.chance(0.53) ? 'M' : 'F',
      age: Math.max(0, eldest - index * random.between(2, 5)),
      side: 0,
    }),
  );
}
