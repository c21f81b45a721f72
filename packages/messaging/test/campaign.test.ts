import { describe, expect, it } from 'vitest';
import { Campaign, type Flaws, runCampaign } from './campaign.ts';

/** `GONGJI_SEED` replays one history; `GONGJI_SEEDS` sets how many are run. */
const first = Number(process.env.GONGJI_SEED ?? 1);
const count = process.env.GONGJI_SEED === undefined ? Number(process.env.GONGJI_SEEDS ?? 60) : 1;
const seeds = Array.from({ length: count }, (_, index) => first + index);

describe('crash campaign in memory', () => {
  it(`keeps every promise in ${count} seeded histories of kills, zombies, lost answers, rebalances and poison`, async () => {
    const broken: Array<{ seed: number; violations: string[] }> = [];
    let [together, skips] = [0, 0];
    for (const seed of seeds) {
      const campaign = new Campaign(seed);
      const violations = await runCampaign(seed, {}, campaign);
      if (violations.length > 0) broken.push({ seed, violations });
      together += campaign.together;
      skips += campaign.database.skips;
    }
    expect(broken).toEqual([]);
    expect(together).toBeGreaterThan(seeds.length / 2);
    expect(skips).toBeGreaterThan(seeds.length / 2);
  }, 240_000);

  const flawed: Array<[string, Flaws]> = [
    ['transactions do not compare epoch and offset', { breakCompareAndSet: true }],
    ['recovery does not read the position', { breakPositionRead: true }],
    ['recovery does not fence', { breakFence: true }],
    ['the position is not in the transaction', { breakPositionWrite: true }],
    ['a record overtakes one of its key that is held', { forgetHeld: true }],
    ['what is held is released from its end', { releaseBackwards: true }],
  ];
  it.each(flawed)(
    'finds out when %s',
    async (_, flaws) => {
      let caught = 0;
      for (const seed of seeds.slice(0, 40)) {
        const violations = await runCampaign(seed, flaws);
        if (violations.length > 0) caught += 1;
      }
      expect(caught).toBeGreaterThan(0);
    },
    60_000,
  );
});
