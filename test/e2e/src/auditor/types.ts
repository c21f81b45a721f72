/** One record of an input topic. `value` is the record's text as sent, or the parsed object (then amounts must be strings). */
export interface WireEvent {
  readonly topic: 'claims' | 'members';
  readonly type: string | null;
  readonly key: string | null;
  readonly value: unknown;
  /** The record's timestamp in epoch milliseconds. */
  readonly timestamp: number;
  /** The `ce_time` header, where there is one. */
  readonly ce_time?: string;
}

export type WireObject = Readonly<Record<string, unknown>>;

/** A record that must appear once on an output topic. `unknowable` lists paths ("setl_id", "policy[].version") not to compare. */
export interface ExpectedRecord {
  readonly topic: 'settlements' | 'sharing';
  readonly key: string;
  readonly type: string;
  readonly value: WireObject;
  readonly unknowable: readonly string[];
  /** Number of the input, from 0, which this answers. */
  readonly input: number;
}

/** A record that must appear once on the dead-letter topic, with its value byte for byte. */
export interface ExpectedDeadLetter {
  readonly topic: 'dead-letters';
  readonly key: string | null;
  readonly code: string;
  readonly value: string;
  readonly input: number;
}

export type ExpectedOutput = ExpectedRecord | ExpectedDeadLetter;

export type Reason = 'ARREARS' | 'EMPLOYER_OFF' | 'USER' | 'ZERO_BALANCE';
export type Portion = 'prior_year' | 'current_year';
