import type { Settings } from '../config.ts';
import { prepare } from '../system/prepare.ts';

const HELP = `Usage: gongji setup

Runs the migrations a database lacks, creates partitions for three months to come and the topics that are missing. Where nothing is missing it changes nothing, so
run it before every start of a new version: the services are not ready while a migration is missing. \`npm start\` does it by itself.

Settings, from the environment or a file .env:
  GONGJI_DATABASE_URL                     of the owner
  GONGJI_KAFKA_BROKERS                    host:port, several separated by commas
  GONGJI_KAFKA_TLS_CA, _SASL_MECHANISM …  how Kafka is reached, see deploy/README.md
  GONGJI_TOPIC_PREFIX, GONGJI_PARTITIONS  names and size of the topics (gongji, 6); the size can never be changed
  GONGJI_INPUT_RETENTION_DAYS             how long the two input topics keep what was sent, where this creates them (without it: for ever)

Exits with 0 when all is there, with 1 when it could not be done, with 2 when the arguments or settings are not understood.`;

/** Sets up a database and topics. Answers the exit code. */
export async function run(args: readonly string[], settings: Settings): Promise<number> {
  const { databaseUrl, kafkaAccess = {}, kafkaBrokers: brokers } = settings;
  if (args.length > 0) {
    const asked = args[0] === '--help' || args[0] === '-h';
    (asked ? console.log : console.error)(asked ? HELP : `setup takes no arguments.\n\n${HELP}`);
    return asked ? 0 : 2;
  }
  if (databaseUrl === undefined || brokers === undefined) {
    console.error('Nothing to set up: set GONGJI_DATABASE_URL and GONGJI_KAFKA_BROKERS.');
    return 2;
  }
  const { topicPrefix, partitions, inputRetentionDays } = settings;
  const brokersText = brokers.join(',');
  await prepare({ databaseUrl, brokers: brokersText, kafkaAccess, topicPrefix, partitions, inputRetentionDays });
  console.log(`The schema is there, and so are the topics ${topicPrefix}.* with ${partitions} partitions.`);
  return 0;
}
