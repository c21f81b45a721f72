import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';

export { type ClonedDatabase, type CloneOptions, cloneDatabase, peopleIn } from './database.ts';
export { PersonalData } from './personal.ts';
export { type UntilOptions, until } from './until.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly databaseUrl: string;
    readonly brokers: string;
  }
}

/** Kafka's `host:port` of this test run; several are separated by commas. */
export const testBrokers = (): string => inject('brokers');

/** The owner's URL of this test run's PostgreSQL. Prefer `cloneDatabase`. */
export const testDatabaseUrl = (): string => inject('databaseUrl');

/** A topic prefix (and group or transactional id prefix) no other test uses, so that tests share one broker. */
export const freshTopicPrefix = (): string => `test-${randomBytes(5).toString('hex')}`;
