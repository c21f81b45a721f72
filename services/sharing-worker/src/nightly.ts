import { topicsOf } from '@repo/contracts';
import type { Ledger } from '@repo/ledger';
import { Sender } from '@repo/messaging';
import { arrearsMessages, type WorkerBackground } from '@repo/shard-worker';

const LOOK_EVERY_MS = 30_000;

/**
 * Sends the nightly arrears check at `arrearsAt` (HH:MM in Shanghai); no schedule where that is undefined. Every replica sends it, later
 * that day if it was down then. The check's id holds the date, so it runs once.
 */
export async function runNightly({ config, connection, ledger, log, stack }: WorkerBackground): Promise<void> {
  const { arrearsAt, partitions, prefix } = config;
  if (arrearsAt === undefined) return;
  const sender = await Sender.open(connection);
  stack.use(sender);
  let sentFor = '';
  const look = async (): Promise<void> => {
    const on = await dueOn(ledger, arrearsAt);
    if (on === null || on === sentFor) return;
    const checks = arrearsMessages({ checkId: `nightly:${on}`, on }, partitions);
    await sender.sendAll(topicsOf(prefix).members, checks);
    sentFor = on;
    log.info({ action: 'arrears.check' }, 'the nightly check is sent');
  };
  const tick = () =>
    look().catch((error: unknown) => log.warn({ error, action: 'arrears.check' }, 'the nightly check is not sent yet'));
  await tick();
  const timer = setInterval(tick, LOOK_EVERY_MS);
  stack.defer(() => clearInterval(timer));
}

/** The date in Shanghai, once it is `arrearsAt` there; null before. By the database's clock: the replicas' may each be wrong. */
export async function dueOn(ledger: Pick<Ledger, 'rows'>, arrearsAt: string): Promise<string | null> {
  const [row] = await ledger.rows<{ on_day: string }>(
    `select to_char(now_there, 'YYYY-MM-DD') as on_day from (select now() at time zone 'Asia/Shanghai' as now_there) as clock
     where to_char(now_there, 'HH24:MI') >= $1`,
    [arrearsAt],
  );
  return row?.on_day ?? null;
}
