import { readEnv, setting } from '@repo/observability';
import { keyFileSetting } from '@repo/sealing';
import { ALWAYS, checkKafkaSettings, databaseUrl, type KafkaAccess, kafkaAccess, kafkaSettings } from '@repo/transport';
import { z } from 'zod';

const schema = z
  .object({
    GONGJI_KAFKA_BROKERS: setting.hostPorts().optional(),
    ...kafkaSettings,
    GONGJI_DATABASE_URL: databaseUrl().optional(),
    GONGJI_ENVELOPE_KEY_FILE: keyFileSetting().optional(),
    GONGJI_SERVERS: z.enum(['embedded', 'containers']).default('embedded'),
    GONGJI_KAFKA_PORT: setting.port().optional(),
    GONGJI_POSTGRES_PORT: setting.port().optional(),
    GONGJI_HTTP_PORT: setting.port().default(8080),
    GONGJI_ADMIN_PORT: setting.port().optional(),
    GONGJI_HTTP_URL: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).optional(),
    GONGJI_HTTP_TOKEN: z.string().optional(),
    GONGJI_DATA_DIR: z.string().default('.gongji'),
    GONGJI_POLICY_DIR: z.string().optional(),
    GONGJI_TOPIC_PREFIX: z
      .string()
      .regex(/^[a-zA-Z0-9._-]{1,100}$/, 'must be at most 100 letters, digits, dots, dashes and underscores')
      .default('gongji'),
    GONGJI_PARTITIONS: setting.integer({ min: 1, max: 1_000 }).default(6),
    GONGJI_INPUT_RETENTION_DAYS: setting.integer({ min: 1, max: 36_500 }).optional(),
    GONGJI_MAX_FUTURE_DAYS: setting.integer({ min: 0, max: 100_000 }).default(400),
    GONGJI_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  })
  .superRefine(checkKafkaSettings, ALWAYS);

/** The settings of `gongji`, from the environment and a `.env` file in the working directory. */
export interface Settings {
  /** External servers, which are used instead of starting our own. */
  readonly kafkaBrokers: readonly string[] | undefined;
  /** How to reach those brokers; the embedded ones need no settings. */
  readonly kafkaAccess?: KafkaAccess;
  readonly databaseUrl: string | undefined;
  /** File of the keys that seal messages; default: the one in the data directory. */
  readonly envelopeKeyFile?: string | undefined;
  readonly servers: 'embedded' | 'containers';
  /** Ports of the embedded servers; default: free ones. */
  readonly kafkaPort: number | undefined;
  readonly postgresPort: number | undefined;
  /** 0 takes a free port. */
  readonly httpPort: number;
  /** Of query-api's health and metrics; 0 takes a free one. Default: they are on its HTTP port. */
  readonly adminPort?: number | undefined;
  /** Address of the API for commands that ask it, and the access token it needs; default: that of the running system, and no token. */
  readonly httpUrl?: string | undefined;
  readonly httpToken?: string | undefined;
  readonly dataDir: string;
  readonly policyDir: string | undefined;
  readonly topicPrefix: string;
  readonly partitions: number;
  /** How many days the input topics keep records, if they are created here; default: for ever. */
  readonly inputRetentionDays?: number | undefined;
  /** How far in the future an event may be before it is malformed. */
  readonly futureDaysMax: number;
  readonly logLevel: string;
  /** The whole environment, which is passed to the services: each reads its own settings from it. */
  readonly environment: NodeJS.ProcessEnv;
}

/** Reads the settings, of an environment alone where one is given. Throws a `ConfigurationError` that lists every problem. */
export function readSettings(env?: NodeJS.ProcessEnv): Settings {
  const { settings } = readEnv(schema, env === undefined ? {} : { env });
  return {
    kafkaBrokers: settings.GONGJI_KAFKA_BROKERS,
    kafkaAccess: kafkaAccess(settings),
    databaseUrl: settings.GONGJI_DATABASE_URL,
    envelopeKeyFile: settings.GONGJI_ENVELOPE_KEY_FILE,
    servers: settings.GONGJI_SERVERS,
    kafkaPort: settings.GONGJI_KAFKA_PORT || undefined,
    postgresPort: settings.GONGJI_POSTGRES_PORT || undefined,
    httpPort: settings.GONGJI_HTTP_PORT,
    adminPort: settings.GONGJI_ADMIN_PORT,
    httpUrl: settings.GONGJI_HTTP_URL,
    httpToken: settings.GONGJI_HTTP_TOKEN || undefined,
    dataDir: settings.GONGJI_DATA_DIR,
    policyDir: settings.GONGJI_POLICY_DIR,
    topicPrefix: settings.GONGJI_TOPIC_PREFIX,
    partitions: settings.GONGJI_PARTITIONS,
    inputRetentionDays: settings.GONGJI_INPUT_RETENTION_DAYS,
    futureDaysMax: settings.GONGJI_MAX_FUTURE_DAYS,
    logLevel: settings.GONGJI_LOG_LEVEL,
    environment: { ...(env ?? process.env) },
  };
}
