import { join } from 'node:path';
import { ALWAYS, checkKafkaSettings, type KafkaAccess, kafkaAccess, kafkaSettings } from '@repo/transport';
import { inject } from 'vitest';
import { z } from 'zod';
import { CLIENT_SECRET } from '../src/issuer.ts';
import { type Login, passwordOf, TOKEN_CLIENT } from '../src/servers.ts';

export type Environment = Readonly<Record<string, string>>;

export const secured = inject('secured');
export const CA: string = join(secured.certificates, 'ca.pem');

/** The environment of a service that logs in by SCRAM. */
export const scramOf = (login: Login): Environment => ({
  GONGJI_KAFKA_TLS_CA: CA,
  GONGJI_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
  GONGJI_KAFKA_SASL_USERNAME: login,
  GONGJI_KAFKA_SASL_PASSWORD: passwordOf(login),
});

/** The environment of one that logs in by tokens. */
export const TOKENS: Environment = {
  GONGJI_KAFKA_TLS_CA: CA,
  GONGJI_KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
  GONGJI_KAFKA_OAUTH_TOKEN_URL: `${secured.issuer}/token`,
  GONGJI_KAFKA_OAUTH_CLIENT_ID: TOKEN_CLIENT,
  GONGJI_KAFKA_OAUTH_CLIENT_SECRET: CLIENT_SECRET,
};

/** The environment of one that shows a certificate instead, made by this authority. */
export const certificateOf = (name: string): Environment => ({
  GONGJI_KAFKA_TLS_CA: CA,
  GONGJI_KAFKA_TLS_CERT: join(secured.certificates, `${name}.pem`),
  GONGJI_KAFKA_TLS_KEY: join(secured.certificates, `${name}.key`),
});

const schema = z.object(kafkaSettings).superRefine(checkKafkaSettings, ALWAYS);

/** How a service with this environment reaches Kafka. */
export const accessOf = (environment: Environment): KafkaAccess => kafkaAccess(schema.parse(environment));
