import { KAFKA_VERSION } from './kafka-programs.ts';

/**
 * The images of the servers, here for `GONGJI_SERVERS=containers` and again in deploy/compose.yaml; a test holds the two
 * together. PostgreSQL's tag follows its bug fixes: they never change the format of the data.
 */
export const IMAGES = { kafka: `apache/kafka:${KAFKA_VERSION}`, postgres: 'postgres:18' } as const;
