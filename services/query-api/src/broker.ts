import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { explainBrokerTls, type TlsOptions } from '@repo/transport';

/** ApiVersions, version 0, without a client id: every broker answers it before anything else. */
const REQUEST = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
const LIMIT_MS = 2_000;

/**
 * What is wrong with the brokers (`host:port`); null when at least one answers in Kafka's protocol. A process that only accepts connections
 * does not count. Independent of the client that sends commands, which connects only with the first command. Brokers accept this request
 * before any login.
 */
export async function brokerProblem(brokers: readonly string[], tls?: TlsOptions): Promise<string | null> {
  try {
    await Promise.any(brokers.map((broker) => ask(broker, tls)));
    return null;
  } catch (error) {
    return explainBrokerTls(error) ?? 'no broker answers';
  }
}

function ask(broker: string, tls: TlsOptions | undefined): Promise<void> {
  const separator = broker.lastIndexOf(':');
  const [host, port] = [broker.slice(0, separator), Number(broker.slice(separator + 1))];
  return new Promise((resolve, reject) => {
    const socket =
      tls === undefined
        ? connect({ host, port })
        : connectTls({ host, port, ...tls, ...(isIP(host) === 0 && { servername: host }) });
    const timer = setTimeout(() => socket.destroy(new Error('no answer')), LIMIT_MS);
    let received = Buffer.alloc(0);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => socket.write(REQUEST));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      // The fields read here: length, our correlation id, error code.
      if (received.length < 10) return;
      if (received.readInt32BE(4) === 1 && received.readInt16BE(8) === 0) resolve();
      socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => {
      clearTimeout(timer);
      reject(new Error('closed'));
    });
  });
}
