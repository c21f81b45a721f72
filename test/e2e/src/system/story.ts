import { Auditor } from '../auditor/auditor.ts';
import type { Pack } from '../auditor/policy.ts';
import { SHIPPED_PACKS } from '../auditor/shipped-packs.ts';
import type { ExpectedOutput, WireEvent } from '../auditor/types.ts';
import { compareOutcomes, type Difference, type PublishedRecord } from '../compare.ts';
import { CLAIMS, MEMBERS } from '../families/family.ts';
import { toEvent } from '../families/stream.ts';
import type { TestSystem } from './system.ts';
import type { RawRecord } from './topics.ts';

type Wire = Readonly<Record<string, unknown>>;

/** An input event as its sender writes it. Its record carries the time of which it speaks. */
export function eventRecord(type: string, value: Wire): RawRecord {
  const isClaims = /^(claim|premium)\./.test(type);
  const key = type.startsWith('premium.') ? value.beneficiary : (value.payer ?? value.psn_no);
  const moment = value.setl_time ?? value.at ?? value.bound_at ?? value.as_of ?? value.on;
  return {
    topic: isClaims ? CLAIMS : MEMBERS,
    key: typeof key === 'string' ? key : null,
    headers: { ce_type: type },
    value: JSON.stringify(value),
    timestamp: Date.parse(String(moment)),
  };
}

/** A record as the auditor takes it. */
export function toWireEvent({ key, topic, headers, value, timestamp }: RawRecord): WireEvent {
  const texts = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, String(text)]));
  return toEvent({ key, topic, headers: texts, value: String(value), timestamp });
}

/** What was published, its type and its fields in one. */
export type Told = Wire & { readonly type: string };

/** Something that happens to a few people, told event by event; the auditor listens. */
export class Story {
  readonly #system: TestSystem;
  readonly #auditor: Auditor;
  readonly #expected: ExpectedOutput[] = [];

  /** @param packs as the system was given them */
  constructor(system: TestSystem, packs: readonly Pack[] = []) {
    this.#system = system;
    this.#auditor = new Auditor([...SHIPPED_PACKS, ...packs]);
  }

  /** Lets events happen at once, and tells what came of them: dead letters, settlements, sharing, in the order of each topic. */
  async when(...records: readonly RawRecord[]): Promise<Told[]> {
    const { topics } = this.#system;
    const before = topics.published.length;
    await topics.send(records);
    for (const record of records) this.#expected.push(...this.#auditor.apply(toWireEvent(record)));
    await this.#system.waitUntilAnswered();
    return topics.published
      .slice(before)
      .toSorted((one, other) => (one.topic < other.topic ? -1 : Number(one.topic > other.topic)))
      .map(tell);
  }

  /** Where the auditor would have told the whole story otherwise. */
  differences(): Difference[] {
    return compareOutcomes(this.#expected, this.#system.topics.published);
  }
}

function tell({ topic, headers, value }: PublishedRecord): Told {
  if (topic === 'dead-letters') return { type: 'dead letter', code: headers['gongji-code'] };
  return { type: headers.ce_type ?? '', ...JSON.parse(value) };
}
