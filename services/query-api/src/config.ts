import { fileURLToPath } from 'node:url';
import { readEnv, setting } from '@repo/observability';
import { keyFileSetting } from '@repo/sealing';
import { ALWAYS, checkKafkaSettings, databaseUrl, kafkaAccess, kafkaSettings } from '@repo/transport';
import { z } from 'zod';
import { CLAIM_NAMES, type ClaimNames } from './scopes.ts';

const LOOPBACK = '127.0.0.1';
/** More than a hospital's system or a busy console needs. Without an issuer there is no limit unless one is set. */
const GUARDED_PER_MINUTE = 1_200;
/** Where `npm run console` writes the built console. */
const CONSOLE_DIR = fileURLToPath(new URL('../../console/dist', import.meta.url));

/** The issuer's keys decide who may read, so they must come over TLS or from this machine. */
const isTrustworthy = (text: string): boolean => {
  const url = URL.parse(text);
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && url.hostname === LOOPBACK);
};

const schema = z
  .object({
    GONGJI_KAFKA_BROKERS: setting.hostPorts(),
    ...kafkaSettings,
    GONGJI_DATABASE_URL: databaseUrl().optional(),
    GONGJI_DATABASE_URL_READER: databaseUrl().optional(),
    GONGJI_DATABASE_URL_OPERATOR: databaseUrl().optional(),
    GONGJI_ENVELOPE_KEY_FILE: keyFileSetting().optional(),
    GONGJI_HTTP_HOST: z.string().default(LOOPBACK),
    GONGJI_HTTP_PORT: setting.port().default(8080),
    GONGJI_ADMIN_HOST: z.string().default(LOOPBACK),
    GONGJI_ADMIN_PORT: setting.port().optional(),
    GONGJI_POLICY_DIR: z.string().optional(),
    GONGJI_TOPIC_PREFIX: z.string().default('gongji'),
    GONGJI_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
    GONGJI_MAX_FUTURE_DAYS: setting.integer({ min: 0, max: 100_000 }).default(400),
    GONGJI_OIDC_ISSUER: z
      .string()
      .refine(isTrustworthy, 'must be an https:// URL, or http://127.0.0.1 for a test')
      .optional(),
    GONGJI_OIDC_AUDIENCE: z.string().default('gongji'),
    GONGJI_OIDC_CLAIM_SCOPE: z.string().min(1).default(CLAIM_NAMES.scope),
    GONGJI_OIDC_CLAIM_PERSON: z.string().min(1).default(CLAIM_NAMES.person),
    GONGJI_OIDC_CLAIM_INSTITUTION: z.string().min(1).default(CLAIM_NAMES.institution),
    GONGJI_OIDC_CLAIM_REGION: z.string().min(1).default(CLAIM_NAMES.region),
    GONGJI_COMMAND_WAIT_MS: setting.integer({ min: 0, max: 20_000 }).default(5_000),
    GONGJI_RATE_LIMIT_PER_MINUTE: setting.integer({ min: 0, max: 1_000_000 }).optional(),
    GONGJI_OIDC_CLIENT_ID: z.string().min(1).optional(),
    GONGJI_OIDC_SCOPE: z.string().min(1).default('openid'),
    GONGJI_CONSOLE_DIR: z.string().min(1).optional(),
    GONGJI_WORKER_METRICS: setting.hostPorts().optional(),
  })
  .superRefine(checkKafkaSettings, ALWAYS)
  .refine(({ GONGJI_HTTP_HOST: host, GONGJI_OIDC_ISSUER: issuer }) => host === LOOPBACK || issuer !== undefined, {
    path: ['GONGJI_HTTP_HOST'],
    error: `must be ${LOOPBACK} unless GONGJI_OIDC_ISSUER is set`,
  })
  .refine((given) => given.GONGJI_OIDC_CLIENT_ID === undefined || given.GONGJI_OIDC_ISSUER !== undefined, {
    path: ['GONGJI_OIDC_CLIENT_ID'],
    error: 'needs GONGJI_OIDC_ISSUER',
  })
  .refine((given) => (given.GONGJI_DATABASE_URL_READER ?? given.GONGJI_DATABASE_URL) !== undefined, {
    path: ['GONGJI_DATABASE_URL'],
    error: 'must be set, or GONGJI_DATABASE_URL_READER',
  });

/** The settings of this service, from the environment and a `.env` file. Throws a `ConfigurationError` that lists every problem. */
export function readConfig(env?: NodeJS.ProcessEnv) {
  const { settings, shown } = readEnv(schema, env === undefined ? {} : { env });
  const { GONGJI_DATABASE_URL_READER: readerUrl, GONGJI_OIDC_ISSUER: issuer } = settings;
  const perMinute = settings.GONGJI_RATE_LIMIT_PER_MINUTE ?? (issuer === undefined ? 0 : GUARDED_PER_MINUTE);
  const operatorUrl = settings.GONGJI_DATABASE_URL_OPERATOR ?? settings.GONGJI_DATABASE_URL;
  const { GONGJI_OIDC_CLIENT_ID: clientId, GONGJI_OIDC_SCOPE: scope } = settings;
  return {
    brokers: settings.GONGJI_KAFKA_BROKERS,
    kafkaAccess: kafkaAccess(settings),
    database: {
      url: readerUrl ?? settings.GONGJI_DATABASE_URL ?? '',
      role: 'gongji_reader' as const,
    },
    /** For the routes about quarantine; null: they are not offered. */
    operatorDatabase: operatorUrl === undefined ? null : { url: operatorUrl, role: 'gongji_operator' as const },
    /** The keys that open sealed messages; undefined: only the unsealed parts are shown. */
    envelopeKeyFile: settings.GONGJI_ENVELOPE_KEY_FILE,
    host: settings.GONGJI_HTTP_HOST,
    port: settings.GONGJI_HTTP_PORT,
    /** The address of the separate port for health and metrics; neither contains personal data. */
    adminHost: settings.GONGJI_ADMIN_HOST,
    /** Undefined: health and metrics are served on the main port. */
    adminPort: settings.GONGJI_ADMIN_PORT,
    policyDir: settings.GONGJI_POLICY_DIR,
    // This service logs nothing at pino's finest level.
    logLevel: settings.GONGJI_LOG_LEVEL === 'trace' ? ('debug' as const) : settings.GONGJI_LOG_LEVEL,
    prefix: settings.GONGJI_TOPIC_PREFIX,
    commandWaitMs: settings.GONGJI_COMMAND_WAIT_MS,
    futureDaysMax: settings.GONGJI_MAX_FUTURE_DAYS,
    oidc:
      issuer === undefined ? null : { issuer, audience: settings.GONGJI_OIDC_AUDIENCE, claims: claimNames(settings) },
    /** Undefined: no limit. */
    requestsPerMinuteMax: perMinute === 0 ? undefined : perMinute,
    /** Addresses of the settlement workers' metrics; null: the workers are not asked. */
    workerMetrics: settings.GONGJI_WORKER_METRICS ?? null,
    console: {
      dir: settings.GONGJI_CONSOLE_DIR ?? CONSOLE_DIR,
      signIn: issuer === undefined || clientId === undefined ? null : { issuer, clientId, scope },
    },
    shown,
  };
}

const claimNames = (settings: z.output<typeof schema>): ClaimNames => ({
  scope: settings.GONGJI_OIDC_CLAIM_SCOPE,
  person: settings.GONGJI_OIDC_CLAIM_PERSON,
  institution: settings.GONGJI_OIDC_CLAIM_INSTITUTION,
  region: settings.GONGJI_OIDC_CLAIM_REGION,
});
