import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setImmediate as ioTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { connect, type KafkaConnection } from '../src/kafkajs/client.ts';

const API_VERSIONS = 18;
const SASL_HANDSHAKE = 17;
const SASL_AUTHENTICATE = 36;
const int16 = (value: number) => Buffer.from([value >> 8, value & 0xff]);
const int32 = (value: number) => Buffer.concat([int16(value >>> 16), int16(value & 0xffff)]);
const text = (value: string) => Buffer.concat([int16(value.length), Buffer.from(value)]);

/** As much of a broker as it takes to come to a login, with or without the request that a login is wrapped in since Kafka 1.0. */
function answerTo(apiKey: number, wrapsLogin: boolean): Buffer | null {
  if (apiKey === API_VERSIONS) {
    const keys = Array.from({ length: 40 }, (_, key) => key).filter((key) => wrapsLogin || key !== SASL_AUTHENTICATE);
    const ranges = keys.map((key) => Buffer.concat([int16(key), int16(0), int16(key === SASL_HANDSHAKE ? 1 : 5)]));
    return Buffer.concat([int16(0), int32(keys.length), ...ranges, int32(0)]);
  }
  if (apiKey === SASL_HANDSHAKE) return Buffer.concat([int16(0), int32(1), text('PLAIN')]);
  return null;
}

interface Silent {
  /** The requests it says nothing to; all, where it is not told. */
  readonly silentTo?: number;
  readonly wrapsLogin?: boolean;
}

/** Takes connections, and answers up to one request. `asked` has the first connection on which that came. */
async function silentBroker({ silentTo, wrapsLogin = true }: Silent) {
  const sockets: Socket[] = [];
  const asked = Promise.withResolvers<Socket>();
  const server = createServer((socket) => {
    sockets.push(socket);
    socket
      .on('error', () => undefined)
      .on('data', (chunk) => {
        if (silentTo === undefined) return asked.resolve(socket);
        // A login without its wrapping is bytes of its own, not a request.
        const apiKey = wrapsLogin || chunk.length >= 12 ? chunk.readInt16BE(4) : silentTo;
        const answer = apiKey === silentTo ? null : answerTo(apiKey, wrapsLogin);
        if (answer === null) return asked.resolve(socket);
        const body = Buffer.concat([chunk.subarray(8, 12), answer]);
        socket.write(Buffer.concat([int32(body.length), body]));
      });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: asked.promise,
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const sasl = { mechanism: 'plain', username: 'u', password: 'p' } as const;

// The limits are waited out by a clock that is put forward; what is sent and closed takes its own time.
const FAKED = ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const;
beforeEach(() => void vi.useFakeTimers({ toFake: [...FAKED], shouldAdvanceTime: true }));
afterEach(() => void vi.useRealTimers());

it.each<[string, Silent, Partial<KafkaConnection>, number]>([
  ['a TLS handshake', {}, { ssl: { rejectUnauthorized: false } }, 3],
  ['the first request', { silentTo: API_VERSIONS }, {}, 15],
  ['the offer of a login', { silentTo: SASL_HANDSHAKE }, { sasl }, 10],
  ['a login', { silentTo: SASL_AUTHENTICATE }, { sasl }, 10],
  ['a login without its wrapping', { silentTo: SASL_AUTHENTICATE, wrapsLogin: false }, { sasl }, 10],
])(
  '%s that gets no answer is given up, and its connection closed',
  async (_case, silent, over, seconds) => {
    using broker = await silentBroker(silent);
    const kafka = connect({ brokers: [broker.address], clientId: 'test', ...over });
    const admin = kafka.admin();
    let isOver = false;
    const connecting = admin
      .connect()
      .catch((error: Error) => error)
      .finally(() => {
        isOver = true;
      });
    const socket = await broker.asked;
    const closed = once(socket, 'close');
    await vi.advanceTimersByTimeAsync(seconds * 1_000 - 2_000);
    for (let turn = 0; turn < 50; turn += 1) await ioTurn();
    expect(socket.destroyed).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    await closed;
    // It tries again by itself, which is over soon where nobody listens.
    broker[Symbol.dispose]();
    while (!isOver) {
      await vi.advanceTimersByTimeAsync(1_000);
      await ioTurn();
    }
    expect(await connecting).toBeInstanceOf(Error);
    await admin.disconnect();
  },
  3_000,
);
