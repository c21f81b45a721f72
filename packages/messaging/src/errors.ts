/** Why a shard stopped for good. Each needs a person: none of them can be explained by a crash the protocol covers. */
export type HaltReason =
  /** More is published than the database has written: it lost commits. */
  | 'position-ahead-of-database'
  /** The next offset lies beyond the log's end: the topic was recreated or truncated. */
  | 'input-beyond-log-end'
  /** The next offset lies before the log's start: retention overtook us. */
  | 'input-lost'
  /** Keys would move between shards. */
  | 'partition-count-changed'
  /** Rows that are not published yet are missing from the outbox. */
  | 'outbox-gap'
  /** Rows that are not published yet are sealed, and no key at hand opens them. */
  | 'outbox-unopened'
  /** The shard's row is ours and has neither the state before nor the state after our transaction. */
  | 'state-unexplained'
  /** The broker refuses what we publish, for a reason that will not pass. */
  | 'publish-refused'
  /** The service's code failed, repeatedly, for a reason that is neither the database's nor the broker's. */
  | 'defect'
  /** The service holds so much for a person to look at that it takes no more. */
  | 'quarantine-full'
  /** Nothing worked for `outageMaxMs`. */
  | 'outage';

/** The shard cannot go on; `reason` says why. Carries no record's content, so it may be logged. */
export class HaltError extends Error {
  readonly reason: HaltReason;

  constructor(reason: HaltReason, detail: string, cause?: unknown) {
    super(`${reason}: ${detail}`, { cause });
    this.name = 'HaltError';
    this.reason = reason;
  }
}

/** Another owner has the shard. For stores and processors that have no such error of their own. */
export class FencedError extends Error {
  constructor() {
    super('the shard has another owner');
    this.name = 'FencedError';
  }
}

/** Throws a `HaltError` where the protocol's own arithmetic does not hold. */
export function ensure(condition: boolean, reason: HaltReason, detail: string): asserts condition {
  if (!condition) throw new HaltError(reason, detail);
}
