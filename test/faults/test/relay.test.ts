import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { findFreePort, HOST, waitFor } from '@repo/embedded';
import { afterEach, expect, test } from 'vitest';
import { Relay } from '../src/relay.ts';

const stack: AsyncDisposableStack[] = [];
afterEach(async () => {
  for (const each of stack.splice(0)) await each.disposeAsync();
});

/** A server that says what it hears, the relay to it, and a way to connect through the relay. */
async function setUp() {
  const closing = new AsyncDisposableStack();
  stack.push(closing);
  const [port, target] = [await findFreePort(), await findFreePort()];
  const accepted: Socket[] = [];
  const server: Server = createServer((socket) => {
    accepted.push(socket.on('error', () => {}));
    socket.pipe(socket);
  });
  server.listen(target, HOST);
  await once(server, 'listening');
  closing.defer(() => void server.close());
  const relay = closing.use(await Relay.open({ port, target }));
  const client = () => {
    const heard: string[] = [];
    let isClosed = false;
    const socket = connect(port, HOST)
      .on('error', () => {})
      .on('data', (chunk) => void heard.push(String(chunk)))
      .on('close', () => {
        isClosed = true;
      });
    closing.defer(() => void socket.destroy());
    const hears = async (text: string): Promise<boolean> => waitFor(() => heard.join('') === text, 10_000, 5);
    return { socket, heard, hears, isClosed: () => isClosed };
  };
  return { relay, client, accepted };
}

test('bytes go through both ways, and an end is passed on', async () => {
  const { client } = await setUp();
  const { socket, hears, isClosed } = client();
  socket.write('a');
  expect(await hears('a')).toBe(true);
  socket.end('b');
  expect(await hears('ab')).toBe(true);
  expect(await waitFor(isClosed, 10_000, 5)).toBe(true);
});

test('what is sent into the silence arrives when it is over, also on a connection that began in it', async () => {
  const { relay, client } = await setUp();
  const before = client();
  before.socket.write('a');
  expect(await before.hears('a')).toBe(true);
  relay.silence();
  const during = client();
  await once(during.socket, 'connect');
  before.socket.write('b');
  during.socket.write('c');
  expect(await waitFor(() => before.heard.length + during.heard.length > 1, 300, 5)).toBe(false);
  relay.heal();
  expect(await before.hears('ab')).toBe(true);
  expect(await during.hears('c')).toBe(true);
});

test('what is late keeps its order', async () => {
  const { relay, client } = await setUp();
  const { socket, hears } = client();
  await once(socket, 'connect');
  const from = performance.now();
  relay.slow(100);
  socket.write('a');
  expect(await hears('a')).toBe(true);
  expect(performance.now() - from).toBeGreaterThan(195);
  socket.write('b');
  relay.heal();
  socket.write('c');
  expect(await hears('abc')).toBe(true);
});

test('a client is not told that its connection is half open, and the next one works', async () => {
  const { relay, client, accepted } = await setUp();
  const first = client();
  first.socket.write('a');
  expect(await first.hears('a')).toBe(true);
  expect(relay.halfOpen()).toBe(1);
  expect(await waitFor(() => accepted[0]?.destroyed === true, 10_000, 5)).toBe(true);
  first.socket.write('lost');
  const second = client();
  second.socket.write('b');
  expect(await second.hears('b')).toBe(true);
  expect(first.isClosed()).toBe(false);
  expect(first.heard).toEqual(['a']);
});

test('a reset ends every connection on both sides', async () => {
  const { relay, client, accepted } = await setUp();
  const clients = [client(), client()];
  for (const { socket, hears } of clients) {
    socket.write('a');
    expect(await hears('a')).toBe(true);
  }
  expect(relay.reset()).toBe(2);
  const isOver = () => clients.every(({ isClosed }) => isClosed()) && accepted.every(({ destroyed }) => destroyed);
  expect(await waitFor(isOver, 10_000, 5)).toBe(true);
});
