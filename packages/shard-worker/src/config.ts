import { hostname } from 'node:os';
import { readEnv, setting } from '@repo/observability';
import { keyFileSetting } from '@repo/sealing';
import { ALWAYS, checkKafkaSettings, databaseUrl, kafkaAccess, kafkaSettings } from '@repo/transport';
import { z } from 'zod';

/** The settings that both workers take. */
const workerSettings = z
  .object({
    GONGJI_KAFKA_BROKERS: setting.hostPorts(),
    ...kafkaSettings,
    GONGJI_DATABASE_URL: databaseUrl().optional(),
    GONGJI_DATABASE_URL_WORKER: databaseUrl().optional(),
    GONGJI_ENVELOPE_KEY_FILE: keyFileSetting(),
    GONGJI_TOPIC_PREFIX: z
      .string()
      .regex(/^[\w.-]{1,100}$/, 'must be letters, digits, dot, dash or underscore')
      .default('gongji'),
    GONGJI_PARTITIONS: setting.integer({ min: 1, max: 1_000 }).default(6),
    GONGJI_POLICY_DIR: z.string().optional(),
    GONGJI_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
    GONGJI_ADMIN_HOST: z.string().default('127.0.0.1'),
    GONGJI_ADMIN_PORT: setting.port().default(0),
    GONGJI_MAX_FUTURE_DAYS: setting.integer({ min: 0, max: 100_000 }).default(400),
    GONGJI_REFUND_WAIT_MS: setting.integer({ min: 0, max: 604_800_000 }).default(0),
    GONGJI_NHSA_OUTPUT: setting.flag().default(false),
    GONGJI_ARREARS_AT: z
      .string()
      .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day HH:MM')
      .optional(),
    GONGJI_BATCH_MAX: setting.integer({ min: 1, max: 10_000 }).default(500),
    GONGJI_FAILPOINT: z.string().optional(),
  })
  .superRefine(checkKafkaSettings, ALWAYS)
  .refine((given) => (given.GONGJI_DATABASE_URL_WORKER ?? given.GONGJI_DATABASE_URL) !== undefined, {
    path: ['GONGJI_DATABASE_URL'],
    error: 'must be set, or GONGJI_DATABASE_URL_WORKER',
  });

/** A worker's settings, from the environment and a `.env` file. Throws a `ConfigurationError` that lists every problem. */
export function readWorkerConfig(env?: NodeJS.ProcessEnv) {
  const { settings, shown } = readEnv(workerSettings, env === undefined ? {} : { env });
  return {
    brokers: settings.GONGJI_KAFKA_BROKERS,
    kafkaAccess: kafkaAccess(settings),
    databaseUrl: settings.GONGJI_DATABASE_URL_WORKER ?? settings.GONGJI_DATABASE_URL ?? '',
    envelopeKeyFile: settings.GONGJI_ENVELOPE_KEY_FILE,
    prefix: settings.GONGJI_TOPIC_PREFIX,
    partitions: settings.GONGJI_PARTITIONS,
    policyDir: settings.GONGJI_POLICY_DIR,
    logLevel: settings.GONGJI_LOG_LEVEL,
    adminHost: settings.GONGJI_ADMIN_HOST,
    adminPort: settings.GONGJI_ADMIN_PORT,
    futureDaysMax: settings.GONGJI_MAX_FUTURE_DAYS,
    refundWaitMs: settings.GONGJI_REFUND_WAIT_MS,
    nhsaOutput: settings.GONGJI_NHSA_OUTPUT,
    arrearsAt: settings.GONGJI_ARREARS_AT,
    batchMax: settings.GONGJI_BATCH_MAX,
    failpoint: settings.GONGJI_FAILPOINT,
    owner: `${hostname()}:${process.pid}`,
    shown,
  };
}
export type WorkerConfig = ReturnType<typeof readWorkerConfig>;
