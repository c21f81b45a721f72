import type { WireEvent } from '../auditor/types.ts';
import { claimEvent } from './claims.ts';
import { CLAIMS, Family, MEMBERS, type WireRecord } from './family.ts';
import { memberEvent } from './members.ts';
import { openLinks, openPeople } from './people.ts';

export interface StreamOptions {
  readonly seed: number;
  readonly families: number;
  /** Events of each family after its people and bindings have entered. */
  readonly events: number;
  /** Share of the claims topic among those events. */
  readonly claimShare?: number;
}

/** Dates of the nightly checks, spread evenly over the rounds; every other one is sent shard by shard. */
const CHECKS = ['2024-12-31', '2025-01-16', '2025-02-01', '2026-01-02'];
/** The partitions of the members topic for which the checks are made. */
export const SHARDS = 4;

/**
 * Random families and what happens to them, as rounds of records. Records of one round may be produced together, each topic in
 * the order given; a round must be waited for before the next begins, because neither the two input topics nor two keys of one
 * topic are ordered with each other. Families share nobody, and within a round a family has one topic and one key (the first two
 * rounds, in which people and bindings enter, have several keys that do not touch each other).
 */
export function generateRounds({ seed, families, events, claimShare = 0.62 }: StreamOptions): WireRecord[][] {
  const all = Array.from({ length: families }, (_, number) => new Family(seed, number));
  const rounds = [all.flatMap(openPeople), all.flatMap(openLinks)];
  const scripts = all.map((family) => steps(family, events, claimShare));
  const length = Math.max(...scripts.map((script) => script.length));
  const checkEvery = Math.ceil(length / CHECKS.length);
  for (let index = 0; index < length; index += 1) {
    rounds.push(scripts.flatMap((script) => script[index] ?? []));
    const check = (index + 1) / checkEvery - 1;
    const on = CHECKS[check];
    if (on !== undefined) rounds.push(check % 2 === 0 ? [arrearsCheck(on)] : shardedCheck(on));
  }
  return rounds;
}

/** A family's events in order, neighbours of one topic and key taken together. */
function steps(family: Family, events: number, claimShare: number): WireRecord[][] {
  const grouped: WireRecord[][] = [];
  for (let count = 0; count < events; count += 1) {
    family.pass();
    const record = family.random.chance(claimShare) ? claimEvent(family) : memberEvent(family);
    const last = grouped.at(-1);
    if (last !== undefined && last[0]?.topic === record.topic && last[0].key === record.key) last.push(record);
    else grouped.push([record]);
  }
  return grouped;
}

function shardedCheck(on: string): WireRecord[] {
  return Array.from({ length: SHARDS }, (_, shard) => ({
    ...arrearsCheck(on, { shard, shards: SHARDS }),
    partition: shard,
  }));
}

function arrearsCheck(on: string, rest: object = {}): WireRecord {
  const value = JSON.stringify({ check_id: `check ${on}`, on, ...rest });
  const headers = { ce_specversion: '1.0', ce_type: 'arrears.check', ce_source: 'families', ce_id: `check ${on}` };
  return { topic: MEMBERS, key: null, headers, value, timestamp: Date.parse(`${on}T01:00:00+08:00`) };
}

/** A record as the auditor takes it. */
export function toEvent({ topic, key, headers, value, timestamp }: WireRecord): WireEvent {
  const given = headers.ce_time;
  return {
    topic: topic === CLAIMS ? 'claims' : 'members',
    type: headers.ce_type ?? null,
    key,
    value,
    timestamp,
    ...(given === undefined ? {} : { ce_time: given }),
  };
}
