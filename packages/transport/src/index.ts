export { type DatabaseConnection, DatabaseUrlError, databaseConnection, withAbsoluteFiles } from './database.ts';
export type { TlsOptions } from './files.ts';
export { type TokenClient, TokenError } from './oauth.ts';
export { explainBrokerTls, explainRefusal } from './refusal.ts';
export { ALWAYS, checkKafkaSettings, databaseUrl, type KafkaAccess, kafkaAccess, kafkaSettings } from './settings.ts';
export { SOCKET_CODES, type Unreached, unreachedServer } from './unreached.ts';
