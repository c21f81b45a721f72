import { explainRefusal, unreachedServer } from '@repo/transport';
import type { Settings } from '../config.ts';
import { runningBrokers, runningServers } from './addresses.ts';

/**
 * Says in a sentence, for the person at the terminal, which server gives no answer and what to do; undefined for any other error. Of a
 * database URL only the host is shown.
 */
export function explainUnreachable(error: unknown, settings: Settings): string | undefined {
  const unreached = unreachedServer(error);
  if (unreached === undefined) return undefined;
  const { server, code } = unreached;
  const isOfKafka = server === 'Kafka';
  const address = isOfKafka ? runningBrokers(settings)?.brokers.join(', ') : hostOf(settings);
  const given = isOfKafka ? settings.kafkaBrokers : settings.databaseUrl;
  const name = isOfKafka ? 'GONGJI_KAFKA_BROKERS' : 'GONGJI_DATABASE_URL';
  const advice =
    given === undefined
      ? `see whether the system of this folder runs (npm start), or set ${name}`
      : `see whether it runs, and whether ${name} is right`;
  return `${server}${address ? ` at ${address}` : ''} does not answer (${code}): ${advice}.`;
}

/** Why a server refuses us or gives no answer, for the person at the terminal; undefined for any other error. */
export const explainServer = (error: unknown, settings: Settings): string | undefined =>
  explainRefusal(error) ?? explainUnreachable(error, settings);

function hostOf(settings: Settings): string | undefined {
  const url = runningServers({ ...settings, kafkaBrokers: settings.kafkaBrokers ?? [] })?.databaseUrl;
  return url === undefined ? undefined : URL.parse(url)?.host;
}
