import { DECODE_LIMITS, decodeMembers } from '@repo/contracts';
import type { MemberEvent } from '@repo/domain';
import { Ledger, type LoadableEvent, loadMembers } from '@repo/ledger';
import { partitionForKey } from '@repo/messaging';
import { loadPolicies } from '@repo/policy';
import { contentHash } from '@repo/shard-worker';
import type { MemberRow } from './demo/city.ts';

/**
 * Enters accounts and bindings into an empty ledger without the topic, with the identity and content that their messages would have. A
 * payer must come before their bindings. Throws at the first row that is no valid event.
 */
export async function loadMemberRows(options: {
  /** The owner's URL. */
  readonly databaseUrl: string;
  readonly rows: Iterable<MemberRow>;
  /** Partition count of the members topic, which decides the shard of a person's later work. */
  readonly partitions: number;
  readonly policyDir?: string | undefined;
}): Promise<void> {
  const { databaseUrl, rows, partitions, policyDir } = options;
  const loaded = await loadPolicies(policyDir === undefined ? {} : { dir: policyDir });
  if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
  const ledger = await Ledger.open({ url: databaseUrl, role: 'gongji_worker', name: 'gongji-load' });
  try {
    const tools = {
      policyOf: loaded.policies.policyAt,
      partitionOf: (personNo: string) => partitionForKey(personNo, partitions),
    };
    // Two lanes: one decodes its events while the database writes those of the other.
    await Promise.all(lanes(rows, 2).map((lane) => loadMembers(ledger, events(lane), tools)));
  } finally {
    await ledger.close();
  }
}

const keyOf = ({ type, value }: MemberRow): string => (type === 'account.opened' ? value.psn_no : value.payer);

/**
 * Deals the rows out by key, so that a payer and their bindings stay in one lane and in order. Whichever lane needs a row reads the source
 * and puts rows of the other lane aside; these are about as many as its own.
 */
function lanes(rows: Iterable<MemberRow>, count: number): Iterable<MemberRow>[] {
  const source = rows[Symbol.iterator]();
  const aside = Array.from({ length: count }, (): MemberRow[] => []);
  function* lane(own: number): Generator<MemberRow, void> {
    for (;;) {
      const waiting = aside[own]?.shift();
      if (waiting !== undefined) {
        yield waiting;
        continue;
      }
      const { value: row, done } = source.next();
      if (done) return;
      aside[partitionForKey(keyOf(row), count)]?.push(row);
    }
  }
  return aside.map((_, own) => lane(own));
}

function* events(rows: Iterable<MemberRow>): Generator<LoadableEvent, void> {
  const timestampMs = Date.now();
  for (const row of rows) {
    const { type, value } = row;
    const decoded = decodeMembers(
      {
        key: Buffer.from(keyOf(row)),
        value: Buffer.from(JSON.stringify(value)),
        headers: [['ce_type', Buffer.from(type)]],
        timestampMs,
      },
      DECODE_LIMITS,
    );
    if (decoded.kind !== 'MEMBER' || !isLoadable(decoded.event))
      throw new Error(`a row of type ${type} is no valid event`);
    const { event, identity, content } = decoded;
    yield { event, identity, contentHash: contentHash(content) };
  }
}

const isLoadable = (event: MemberEvent): event is LoadableEvent['event'] =>
  event.kind === 'ACCOUNT_OPENED' || event.kind === 'BINDING_OPENED';
