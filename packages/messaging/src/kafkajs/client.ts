import { createRequire } from 'node:module';
import net from 'node:net';
import tls from 'node:tls';
import type { ISocketFactory, Kafka, KafkaConfig } from 'kafkajs';
import { GZIP, LZ4, SNAPPY, ZSTD } from './codecs.ts';
import { patchKafkajs } from './patches.ts';

const require = createRequire(import.meta.url);
patchKafkajs(require);

/** kafkajs with the replacements of `patches.ts` and our codecs. Must be loaded nowhere else, or it would be loaded without them. */
export const kafkajs = require('kafkajs') as typeof import('kafkajs');
const { CompressionCodecs, CompressionTypes } = kafkajs;
Object.assign(CompressionCodecs, {
  [CompressionTypes.GZIP]: GZIP,
  [CompressionTypes.Snappy]: SNAPPY,
  [CompressionTypes.LZ4]: LZ4,
  [CompressionTypes.ZSTD]: ZSTD,
});

/** How to reach the brokers; the same object for everything in this package. */
export interface KafkaConnection {
  readonly brokers: readonly string[];
  /** Names this process at the broker. */
  readonly clientId: string;
  /** Read anew for each connection, so its properties may be getters (certificates that are renewed). */
  readonly ssl?: KafkaConfig['ssl'];
  readonly sasl?: KafkaConfig['sasl'];
  /** Receives kafkajs' own warnings and errors. They contain no record's key or value. */
  readonly log?: (level: 'warn' | 'error', message: string) => void;
  /** How sockets are made; tests inject a faulty network here. */
  readonly socketFactory?: ISocketFactory;
}

const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 60_000;
/** The client logs in again this long before its session ends. Sessions must be longer, or every request would begin with a login. */
const LOGIN_AGAIN_MS = 10_000;

/** kafkajs' own socket factory, but without Nagle's delay: a transaction is a chain of small requests, each waiting for the last. */
const connectSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const options = { host, port, ...(net.isIP(host) === 0 ? { servername: host } : {}) };
  const socket = ssl ? tls.connect({ ...options, ...ssl }, onConnect) : net.connect({ host, port }, onConnect);
  if (socket instanceof tls.TLSSocket) socket.once('error', nameCut(socket));
  return socket.setKeepAlive(true, KEEP_ALIVE_MS).setNoDelay(true);
};

/**
 * A port without TLS cuts a TLS client's connection. kafkajs keeps only an error's code, so that case is given its own code here, to be
 * told from any other cut.
 */
const nameCut = (socket: tls.TLSSocket) => (error: NodeJS.ErrnoException) => {
  if (error.code === 'ECONNRESET' && socket.getPeerX509Certificate() === undefined) error.code = TLS_CUT;
};
const TLS_CUT = 'TLS_HANDSHAKE_CUT';

export function connect({ brokers, clientId, ssl, sasl, log, socketFactory }: KafkaConnection): Kafka {
  const { Kafka, logLevel } = kafkajs;
  const shape: KafkaConfig = {
    brokers: [...brokers],
    clientId,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    reauthenticationThreshold: LOGIN_AGAIN_MS,
    socketFactory: socketFactory ?? connectSocket,
    logLevel: log === undefined ? logLevel.NOTHING : logLevel.WARN,
    logCreator: () => (entry) => log?.(entry.level === logLevel.ERROR ? 'error' : 'warn', entry.log.message),
  };
  if (ssl !== undefined) shape.ssl = ssl;
  if (sasl !== undefined) shape.sasl = sasl;
  return new Kafka(shape);
}
