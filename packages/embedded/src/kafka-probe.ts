import { connect } from 'node:net';

/** Kinds of coordinator in FindCoordinator. */
const GROUP = 0;
const TRANSACTION = 1;

/**
 * Whether the broker serves clients: it names itself in its metadata and has a coordinator for groups and one for
 * transactions. Asking for those makes the broker create its two internal topics, so the first consumer and the first
 * transaction do not wait for them. Speaks three small requests of Kafka's protocol, as nothing else here needs a client.
 */
export async function kafkaAnswers(address: { readonly host: string; readonly port: number }): Promise<boolean> {
  try {
    // Metadata v1 with an empty list of topics: the answer starts with the list of brokers.
    const metadata = await ask(address, { apiKey: 3, apiVersion: 1, body: int32(0) });
    if (metadata.readInt32BE(0) === 0) return false;
    for (const kind of [GROUP, TRANSACTION]) {
      // FindCoordinator v1; the answer is throttle time, then the error code.
      const coordinator = await ask(address, {
        apiKey: 10,
        apiVersion: 1,
        body: Buffer.concat([text('readiness'), Buffer.from([kind])]),
      });
      if (coordinator.readInt16BE(4) !== 0) return false;
    }
    return true;
  } catch {
    return false;
  }
}

interface Request {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly body: Buffer;
}

/** One request on a connection of its own; the answer without its length and correlation id. */
function ask(
  { host, port }: { readonly host: string; readonly port: number },
  { apiKey, apiVersion, body }: Request,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: 5_000 });
    let received = Buffer.alloc(0);
    socket.once('connect', () => {
      const message = Buffer.concat([int16(apiKey), int16(apiVersion), int32(1), text('gongji-embedded'), body]);
      socket.write(Buffer.concat([int32(message.length), message]));
    });
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return;
      socket.destroy();
      resolve(received.subarray(8));
    });
    socket.once('timeout', () => socket.destroy(new Error('no answer')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
  });
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

const text = (value: string): Buffer => Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
