import { isDeepStrictEqual } from 'node:util';
import { shippedPolicies } from '@repo/policy';
import { afterAll, expect, test } from 'vitest';
import type { ShardName } from '../../src/workers/shard.ts';
import { type Move, type Place, Site, type SiteState } from '../../src/workers/site.ts';
import { FAMILY, RACES, type Race } from './races.cases.ts';

const policies = await shippedPolicies();
const policyOf = policies.policyAt;
const shards: readonly ShardName[] = ['members/0', 'claims/0', 'claims/1'];

let site: Site | undefined;
afterAll(() => leave());

/** After a failure nobody knows what still runs there: the next one gets a site of its own. */
async function leave(): Promise<void> {
  const left = site;
  site = undefined;
  await left?.[Symbol.asyncDispose]();
}

/** Works on a site where there is only the family, after what the race says happened before. */
async function onSite<T>({ given = [] }: Race, work: (site: Site) => Promise<T>): Promise<T> {
  try {
    site ??= await siteOfFamily();
    await site.restore();
    for (const move of given) await site.run(move);
    return await work(site);
  } catch (error) {
    await leave();
    throw error;
  }
}

async function siteOfFamily(): Promise<Site> {
  const fresh = await Site.open({ policyOf, shards });
  await fresh.run({ shard: 'members/0', records: FAMILY });
  await fresh.keep();
  return fresh;
}

const inTurn = (race: Race, ...moves: readonly Move[]): Promise<SiteState> =>
  onSite(race, async (site) => {
    for (const move of moves) await site.run(move);
    await site.settleDown();
    return site.state();
  });

interface Overlap {
  readonly state: SiteState;
  /** Whether the second had to wait for the first, which was held. */
  readonly waited: boolean;
  readonly retries: readonly string[];
}

/**
 * Holds the first at a place, begins the second, and lets go once that one waits for a lock or has gone ahead. Null where the first
 * does not come to the place.
 */
const atOnce = (race: Race, first: Move, second: Move, place: Place): Promise<Overlap | null> =>
  onSite(race, async (site) => {
    const held = await site.begin(first, place);
    if (!held.reached) {
      await Promise.all([held.letGo(), held.run]);
      return null;
    }
    const run = site.run(second);
    const waited = await site.waits(second.shard, run);
    await held.letGo();
    await Promise.all([held.run, run]);
    await site.settleDown();
    return { state: await site.state(), waited, retries: [...site.shard(first.shard).retries] };
  });

const POINTS = ['mid-db', 'before-db-commit'] as const;

test.each(RACES)('$it at the same moment end as if one had come after the other', async (race) => {
  const { one, other, accounts = ['A1', 'P1'] } = race;
  const oneFirst = await inTurn(race, one, other);
  const otherFirst = await inTurn(race, other, one);
  expect(isDeepStrictEqual(oneFirst, otherFirst)).toBe(race.commute === true);

  const places: readonly Place[] = [...POINTS, ...accounts.map((account) => ({ account }))];
  const met: string[] = [];
  for (const [first, second, firstFirst, secondFirst] of [
    [one, other, oneFirst, otherFirst],
    [other, one, otherFirst, oneFirst],
  ] as const) {
    for (const place of places) {
      const overlap = await atOnce(race, first, second, place);
      if (overlap === null) continue;
      const { state, waited, retries } = overlap;
      const where = `${first.shard} held at ${JSON.stringify(place)}, ${second.shard} ${waited ? 'waited' : 'went ahead'}`;
      met.push(where);
      if (!isDeepStrictEqual(state, secondFirst)) expect(state, where).toEqual(firstFirst);
      if (typeof place !== 'string') {
        // The second's facts are in before the first has its locks: the first looks at them, from the top where it must.
        if (!waited) expect(state, where).toEqual(secondFirst);
        if (race.raced && first === one) expect(retries, where).toEqual(['Raced']);
      } else {
        expect(waited, where).toBe(race.apart !== true);
        if (waited) expect(state, where).toEqual(firstFirst);
      }
    }
  }
  // Both were held with the other at the door, and at their locks.
  expect(met.length).toBeGreaterThanOrEqual(4);
});
