import { Ledger } from '@repo/ledger';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Tally } from '../../src/tally.ts';
import { account, binding, claim, Scene } from './scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.open();
  await scene.members(account('P1'), account('P2', { prior_year: '500.00' }));
});
afterAll(async () => scene[Symbol.asyncDispose]());

test('bindings come in pages of 500', async () => {
  const names = Array.from({ length: 501 }, (_, n) => `B${String(n).padStart(3, '0')}`);
  await scene.members(...names.map((name) => binding(name, 'P2', { state: 'REVOKED', pause_reasons: [] })));
  const first = (await scene.get('/v1/bindings?payer=P2')).body as { bindings: object[]; next: string };
  expect([first.bindings.length, first.next]).toEqual([500, 'B499']);
  const { body } = await scene.get(`/v1/bindings?payer=P2&after=${first.next}`);
  expect(body).toEqual({ bindings: [expect.objectContaining({ binding_id: 'B500' })] });
});

test('what is held of a key comes in pages of 100', async () => {
  for (let n = 0; n < 101; n++) await scene.hold(n, '{}', null);
  const first = (await scene.get('/v1/quarantine/claims%2F0%400')).body as { messages: object[]; next: string };
  expect([first.messages.length, first.next]).toEqual([100, 'claims/0@99']);
  const { body } = await scene.get(`/v1/quarantine/claims%2F0%400?after=${encodeURIComponent(first.next)}`);
  expect(body).toEqual({ messages: [expect.objectContaining({ place: 'claims/0@100' })] });
});

test('totals begin so far back, are read so far at a time, keep so many days, and say so', async () => {
  for (let day = 1; day <= 6; day++)
    await scene.settle('claim.submitted', claim({ claim_id: `D${day}`, setl_time: `2025-03-0${day}T10:00:00+08:00` }));
  await using stack = new AsyncDisposableStack();
  const ledger = await Ledger.open({ url: scene.url, role: 'gongji_reader', name: 'pages' });
  stack.defer(() => ledger.close());
  const dated = (...days: number[]) => days.map((day) => `2025-03-0${day}`);
  const all = new Tally(ledger, 'scene.claims.v1', { page: 2, pagesPerLook: 2 });
  await all.look();
  expect([all.days(), all.complete]).toEqual([dated(4, 3, 2, 1), false]);
  await all.look();
  expect([all.days(), all.complete]).toEqual([dated(6, 5, 4, 3, 2, 1), true]);
  const late = new Tally(ledger, 'scene.claims.v1', { reach: 4n });
  await late.look();
  expect([late.days(), late.complete]).toEqual([dated(6, 5, 4, 3), false]);
  const few = new Tally(ledger, 'scene.claims.v1', { daysMax: 2 });
  await few.look();
  expect([few.days(), few.complete]).toEqual([dated(6, 5), false]);
  // As after its month was archived: no longer in this table.
  const owner = await Ledger.open({ url: scene.url, name: 'owner' });
  stack.defer(() => owner.close());
  await owner.rows('delete from outcome where seq = 1');
  const rest = new Tally(ledger, 'scene.claims.v1');
  await rest.look();
  expect([rest.days(), rest.complete]).toEqual([dated(6, 5, 4, 3, 2), false]);
});

test('an id is looked for among 10,000 dead letters at a time, and the next page goes on from there', async () => {
  await scene.setAside('{"claim_id":"first"}', { code: 'EVENT_MALFORMED', detail: '' }, 0);
  await scene.setAside('{"claim_id":"later"}', { code: 'EVENT_MALFORMED', detail: '' });
  await scene.rows(
    `insert into outcome (shard_id, seq, month, dest, dest_seq, key, stamp, payload)
     select shard_id, seq + n, month, dest, dest_seq + n, key, stamp, payload
     from (select * from outcome where dest = 'D' order by seq desc limit 1) as last, generate_series(1, 9999) as n`,
  );
  type Letters = { dead_letters: { id: string }[]; next?: string };
  const first = (await scene.get('/v1/dead-letters?id=first')).body as unknown as Letters;
  expect(first).toEqual({ dead_letters: [], next: expect.any(String) });
  const second = (await scene.get(`/v1/dead-letters?id=first&after=${first.next}`)).body as unknown as Letters;
  expect(second.dead_letters.map(({ id }) => id)).toEqual(['first']);
  const page = (await scene.get('/v1/dead-letters')).body as unknown as Letters;
  expect([page.dead_letters.length, page.next]).toEqual([100, expect.any(String)]);
});
