import { DECODE_LIMITS } from '@repo/contracts';
import { Ledger, migrate, schemaKey } from '@repo/ledger';
import type { InputRecord, Lease } from '@repo/messaging';
import { cloneDatabase } from '@repo/testkit';
import { expect, test } from 'vitest';
import { type SettleDeps, setAside } from '../../src/settle.ts';

test('a message the worker fails on is set aside, but not one after the other without end, whoever restarts', async () => {
  const { url } = await cloneDatabase({ key: schemaKey(), migrate });
  const ledger = await Ledger.open({ url, role: 'gongji_worker', name: 'test' });
  try {
    const deps: SettleDeps = {
      ledger,
      policyOf: () => {
        throw new Error('nothing is decided here');
      },
      limits: DECODE_LIMITS,
      refundWaitMs: 0,
      targets: { results: 'results', deadLetters: 'dead', deadLetterBase: 0, source: '/test' },
    };
    const next = async () => {
      const shard = { topic: 'claims', partition: 0 };
      const { epoch, nextOffset, publishedSeq } = await ledger.acquireShard(shard, 'test', 1);
      const lease: Lease = { shard, epoch, nextOffset, publishedSeq };
      const record: InputRecord = {
        offset: nextOffset,
        key: null,
        value: Buffer.from('{}'),
        headers: [],
        timestampMs: 0,
      };
      return setAside(lease, record, deps);
    };
    for (let n = 0; n < 3; n++) expect((await next()).rows).toMatchObject([{ topic: 'dead' }]);
    await expect(next()).rejects.toThrow('the worker fails on every message');
    expect(await ledger.rows('select next_offset from shard')).toEqual([{ next_offset: '3' }]);
  } finally {
    await ledger.close();
  }
});
