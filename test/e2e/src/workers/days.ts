import assert from 'node:assert/strict';
import { audit } from '@repo/cli/audit';
import { date } from '@repo/domain';
import {
  closedDays,
  findBackdated,
  findBindingChanges,
  findBindings,
  findFamily,
  findHeld,
  findHeldRefunds,
  findOutcome,
  findPerson,
  findQuarantines,
  findUsage,
  Ledger,
  leaveOrder,
  readOrder,
} from '@repo/ledger';
import { shippedPolicies } from '@repo/policy';
import { eventRecord } from '../system/story.ts';
import { AT, account, binding, claim, fact, refund } from './events.ts';
import { Shard } from './shard.ts';

const policies = await shippedPolicies();

const DAY = date('2025-03-10');
const CHECK = { check_id: 'grants', on: '2025-04-01', shard: 0, shards: 1 };

/** What a process does to a database that holds nothing yet; rejects with what the database refused. */
export type Day = (url: string) => Promise<void>;

const atWork = (url: string) => ({ url, policyOf: policies.policyAt, partitions: 1, refundWaitMs: 60_000 });

/** Everything a worker ever does to its tables while nothing is set aside, in as few batches as that takes. */
export async function goodDay(url: string): Promise<void> {
  const ledger = await Ledger.open({ url, role: 'gongji_worker', name: 'grants' });
  await using shards = new AsyncDisposableStack();
  shards.defer(() => ledger.close());
  await ledger.missingMigrations();
  const options = atWork(url);
  const members = shards.use(await Shard.open('members/0', options));
  const claims = shards.use(await Shard.open('claims/0', options));
  await members.take([
    account('P1', '10.00', { psn_name: '王小明' }),
    account('A1', '100.00'),
    account('A2', '50.00'),
    binding('B1', 'A1', 'P1', { priority: 1, authorised_amount: '100.00' }),
    binding('B2', 'A2', 'P1', { priority: 2, relation: 'PARENT', authorised_amount: '50.00' }),
  ]);
  await members.take([
    fact('account.changed', { change_id: 'N1', psn_no: 'P1', psn_name: '王大明' }),
    fact('binding.changed', { change_id: 'N2', binding_id: 'B2', payer: 'A2', priority: 3 }),
  ]);
  // A refund that waits for its claim, and one that is given back to an account that is closed by then.
  await claims.take([refund('R0', 'C1', 'P1', AT, '5.00')]);
  await claims.take([claim('C1', 'P1', '40.00')]);
  await claims.take([claim('C2', 'P1', '200.00')]);
  await members.take([
    fact('contribution.missed', { psn_no: 'A1', period: '2025-02', due_date: '2025-02-28' }),
    fact('account.changed', { change_id: 'X1', psn_no: 'A2', status: 'CLOSED' }),
  ]);
  await claims.take([refund('R1', 'C2', 'P1')]);
  const [held] = await ledger.rows<{ amount: string }>('select amount from held_refund', []);
  await members.take([
    fact('contribution.recovered', { psn_no: 'A1', period: '2025-02' }),
    fact('refund.paid', { refund_id: 'R1', psn_no: 'A2', amount: held?.amount }),
    eventRecord('arrears.check', CHECK),
  ]);
  while (await members.idle());
  // What an owner who comes after a crash reads and notes.
  const shard = { topic: 'claims', partition: 0 };
  const { epoch } = await ledger.acquireShard(shard, 'grants', 1);
  await ledger.loadOutbox(shard, 0n, 10);
  await ledger.markPublished({ shard, epoch }, 1n);
}

/** A worker fails on a payer's message: what it holds, what an arrears check leaves out meanwhile, and what operators then order. */
export async function badDay(url: string): Promise<void> {
  await using members = await Shard.open('members/0', atWork(url));
  await using owner = new AsyncDisposableStack();
  const operator = owner.adopt(await Ledger.open({ url, name: 'operator' }), (ledger) => ledger.close());
  const order = async (action: 'RELEASE' | 'DROP', offset: bigint): Promise<void> => {
    const code = action === 'DROP' ? 'EVENT_MALFORMED' : null;
    const place = { topic: 'members', partition: 0, offset };
    await leaveOrder(operator, place, { action, code, by: 'operator', reason: 'tried' });
    while (await members.carryOut());
  };
  const changed = (change_id: string) => fact('account.changed', { change_id, psn_no: 'A1', wallet_open: true });
  await members.take([account('A1', '100.00')]);
  await members.setAside(changed('X1'));
  await members.take([changed('X2'), eventRecord('arrears.check', CHECK)]);
  while (await members.idle());
  await order('DROP', 2n);
  members.onPoint = () => {
    throw new TypeError('the worker fails again');
  };
  await order('RELEASE', 1n);
  members.onPoint = () => undefined;
  await order('RELEASE', 1n);
  while (await members.idle());
  const [ended] = await operator.rows<{ left: string; results: string }>(
    `select (select count(*) from quarantined_message) + (select count(*) from arrears_left) as left,
       (select string_agg(action || ' ' || result, ', ' order by order_id) from quarantine_order) as results`,
  );
  assert.deepEqual(ended, { left: '0', results: 'DROP DONE, RELEASE FAILED, RELEASE DONE' });
}

/** Everything that operators do over HTTP about what is held: they look, and order. The table is filled or not, which makes no difference. */
export async function operatorsDay(url: string): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const operator = stack.adopt(await Ledger.open({ url, role: 'gongji_operator', name: 'grants' }), (ledger) =>
    ledger.close(),
  );
  const place = { topic: 'members', partition: 0, offset: 1n };
  await findQuarantines(operator, place);
  await findHeld(operator, place, { limit: 1 });
  const order = {
    action: 'DROP',
    code: 'EVENT_MALFORMED',
    by: 'operator',
    reason: 'tried',
    commandId: 'once',
  } as const;
  await readOrder(operator, 0, await leaveOrder(operator, place, order));
}

/** Everything that is read for HTTP, by the commands and by the audit; the tables are filled or not, which makes no difference. */
export async function readersDay(url: string): Promise<void> {
  const ledger = await Ledger.open({ url, role: 'gongji_reader', name: 'grants' });
  try {
    await ledger.missingMigrations();
    await findPerson(ledger, 'P1');
    await findBindings(ledger, { payer: 'A1', limit: 1 });
    await findBindingChanges(ledger, { payer: 'A2', bindingId: 'B2' }, 1);
    await findOutcome(ledger, 'claim:C1', 'C1');
    await findFamily(ledger, 'P1', DAY);
    await findBackdated(ledger, { payersMax: 1 });
    await findHeldRefunds(ledger, { personsMax: 1 });
    await findUsage(ledger, { from: DAY, to: DAY, name: '王' }, { limit: 1 });
    await closedDays(ledger);
    await ledger.rows('select from arrears_check where check_id = $1', ['grants']);
  } finally {
    await ledger.close();
  }
  // It looks at the tables from outside, by connections of its own.
  await audit({ databaseUrl: url, brokers: null, topicPrefix: 'grants' });
}
