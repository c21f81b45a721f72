import { topicsOf } from '@repo/contracts';
import { dateOf, formatInstant } from '@repo/domain';
import { Sender } from '@repo/messaging';
import { arrearsMessages, type WorkerBackground } from '@repo/shard-worker';

const LOOK_EVERY_MS = 30_000;

/**
 * Sends the nightly arrears check at `arrearsAt` (HH:MM in Shanghai); no schedule where that is undefined. Every replica sends it, later
 * that day if it was down then. The check's id holds the date, so it runs once.
 */
export async function runNightly({ config, connection, log, stack }: WorkerBackground): Promise<void> {
  const { arrearsAt, partitions, prefix } = config;
  if (arrearsAt === undefined) return;
  const sender = await Sender.open(connection);
  stack.use(sender);
  let sentFor = '';
  const look = async (): Promise<void> => {
    const now = Date.now();
    const on = dateOf(now);
    if (on === sentFor || formatInstant(now).slice(11, 16) < arrearsAt) return;
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
