import { z } from 'zod';
import { databaseUrlProblem } from './database.ts';
import { belongTogether, certificateProblem, keyProblem, type TlsOptions, tlsOptions } from './files.ts';
import { createTokenSource } from './oauth.ts';

const checked = (problemOf: (text: string) => string | null) =>
  z.string().superRefine((text, context) => {
    const problem = problemOf(text);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });
const file = (problemOf: (path: string) => string | null) =>
  checked((path) => {
    const problem = problemOf(path);
    return problem === null ? null : `must be a file that can be used, and ${problem}`;
  });
const secret = () => z.string().min(1).meta({ secret: true });

/** A database URL, and what it says about TLS. Never shown. */
export const databaseUrl = () => checked((text) => databaseUrlProblem(text)).meta({ secret: true });

const LOOPBACK = '127.0.0.1';
const isTrustworthy = (text: string): boolean => {
  const url = URL.parse(text);
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && url.hostname === LOOPBACK);
};

/** How Kafka is reached, for a schema of settings; `checkKafkaSettings` says where they do not agree. */
export const kafkaSettings = {
  GONGJI_KAFKA_TLS: z
    .enum(['0', '1'], 'must be 0 or 1')
    .transform((text) => text === '1')
    .optional(),
  GONGJI_KAFKA_TLS_CA: file((path) => certificateProblem(path, 'authorities')).optional(),
  GONGJI_KAFKA_TLS_CERT: file((path) => certificateProblem(path, 'own')).optional(),
  GONGJI_KAFKA_TLS_KEY: file(keyProblem).optional(),
  GONGJI_KAFKA_SASL_MECHANISM: z
    .enum(['SCRAM-SHA-512', 'OAUTHBEARER', 'PLAIN'], 'must be SCRAM-SHA-512, OAUTHBEARER or PLAIN')
    .optional(),
  GONGJI_KAFKA_SASL_USERNAME: z.string().optional(),
  GONGJI_KAFKA_SASL_PASSWORD: secret().optional(),
  GONGJI_KAFKA_OAUTH_TOKEN_URL: z
    .string()
    .refine(isTrustworthy, 'must be an https:// URL, or http://127.0.0.1 for a test')
    .optional(),
  GONGJI_KAFKA_OAUTH_CLIENT_ID: z.string().optional(),
  GONGJI_KAFKA_OAUTH_CLIENT_SECRET: secret().optional(),
  GONGJI_KAFKA_OAUTH_SCOPE: z.string().optional(),
} as const;

type Name = keyof typeof kafkaSettings;
export type KafkaSettings = { readonly [N in Name]?: z.output<(typeof kafkaSettings)[N]> };

const FILES: readonly Name[] = ['GONGJI_KAFKA_TLS_CA', 'GONGJI_KAFKA_TLS_CERT', 'GONGJI_KAFKA_TLS_KEY'];
const LOGIN: readonly Name[] = ['GONGJI_KAFKA_SASL_USERNAME', 'GONGJI_KAFKA_SASL_PASSWORD'];
const CLIENT: readonly Name[] = [
  'GONGJI_KAFKA_OAUTH_TOKEN_URL',
  'GONGJI_KAFKA_OAUTH_CLIENT_ID',
  'GONGJI_KAFKA_OAUTH_CLIENT_SECRET',
];
const SCOPE: Name = 'GONGJI_KAFKA_OAUTH_SCOPE';
const NEEDED: Readonly<Record<string, readonly Name[]>> = { 'SCRAM-SHA-512': LOGIN, PLAIN: LOGIN, OAUTHBEARER: CLIENT };

const hasTls = (given: KafkaSettings): boolean =>
  given.GONGJI_KAFKA_TLS ?? FILES.some((name) => given[name] !== undefined);

/** Where settings that are right in themselves do not go together: the setting, and what is wrong. */
function* disagreements(given: KafkaSettings): Generator<[Name, string]> {
  const { GONGJI_KAFKA_SASL_MECHANISM: mechanism, GONGJI_KAFKA_TLS_CERT: cert, GONGJI_KAFKA_TLS_KEY: key } = given;
  if (given.GONGJI_KAFKA_TLS === false)
    for (const name of FILES)
      if (given[name] !== undefined) yield [name, 'must not be set where GONGJI_KAFKA_TLS is 0'];
  if (cert !== undefined && key === undefined) yield ['GONGJI_KAFKA_TLS_KEY', 'must be set with GONGJI_KAFKA_TLS_CERT'];
  if (key !== undefined && cert === undefined) yield ['GONGJI_KAFKA_TLS_CERT', 'must be set with GONGJI_KAFKA_TLS_KEY'];
  if (cert !== undefined && key !== undefined && keyProblem(key) === null && !belongTogether(cert, key))
    yield ['GONGJI_KAFKA_TLS_KEY', 'must be the key that GONGJI_KAFKA_TLS_CERT was made for'];
  if (mechanism !== undefined && !hasTls(given))
    yield ['GONGJI_KAFKA_SASL_MECHANISM', 'needs TLS: set GONGJI_KAFKA_TLS_CA, or GONGJI_KAFKA_TLS=1 for a public one'];
  const needed = mechanism === undefined ? [] : NEEDED[mechanism];
  // A mechanism that is not known says nothing of what goes with it.
  if (needed === undefined) return;
  for (const name of needed) if (given[name] === undefined) yield [name, `must be set for ${mechanism}`];
  for (const name of [...LOGIN, ...CLIENT, SCOPE]) {
    if (given[name] === undefined || needed.includes(name) || (name === SCOPE && needed === CLIENT)) continue;
    yield [name, mechanism === undefined ? 'needs GONGJI_KAFKA_SASL_MECHANISM' : `is not for ${mechanism}`];
  }
}

/** For `superRefine` of a schema with {@link kafkaSettings}; pass {@link ALWAYS} with it, so that all problems are told at once. */
export function checkKafkaSettings(given: KafkaSettings, context: z.core.$RefinementCtx): void {
  for (const [name, message] of disagreements(given)) context.addIssue({ code: 'custom', path: [name], message });
}

/** A check across settings runs also where one of them is wrong in itself. */
export const ALWAYS = { when: () => true } as const;

/** How to reach Kafka, in the form its client takes. */
export interface KafkaAccess {
  readonly ssl?: TlsOptions;
  readonly sasl?:
    | { readonly mechanism: 'scram-sha-512'; readonly username: string; readonly password: string }
    | { readonly mechanism: 'plain'; readonly username: string; readonly password: string }
    | {
        readonly mechanism: 'oauthbearer';
        readonly oauthBearerProvider: () => Promise<{ readonly value: string }>;
      };
}

export function kafkaAccess(given: KafkaSettings): KafkaAccess {
  if (!hasTls(given)) return {};
  const { GONGJI_KAFKA_TLS_CA: ca, GONGJI_KAFKA_TLS_CERT: cert, GONGJI_KAFKA_TLS_KEY: key } = given;
  const ssl = tlsOptions({ ca, cert, key });
  const mechanism = given.GONGJI_KAFKA_SASL_MECHANISM;
  if (mechanism === undefined) return { ssl };
  if (mechanism === 'OAUTHBEARER') {
    const oauthBearerProvider = createTokenSource({
      url: given.GONGJI_KAFKA_OAUTH_TOKEN_URL ?? '',
      clientId: given.GONGJI_KAFKA_OAUTH_CLIENT_ID ?? '',
      clientSecret: given.GONGJI_KAFKA_OAUTH_CLIENT_SECRET ?? '',
      scope: given.GONGJI_KAFKA_OAUTH_SCOPE,
    });
    return { ssl, sasl: { mechanism: 'oauthbearer', oauthBearerProvider } };
  }
  const [username, password] = [given.GONGJI_KAFKA_SASL_USERNAME ?? '', given.GONGJI_KAFKA_SASL_PASSWORD ?? ''];
  return {
    ssl,
    sasl: { mechanism: mechanism === 'PLAIN' ? ('plain' as const) : ('scram-sha-512' as const), username, password },
  };
}
