import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setImmediate as ioTurn } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { inTime, SEND_WITHIN_MS } from '../src/commands.ts';
import { CommandSender } from '../src/sender.ts';

test('while the broker says nothing so many commands wait for it, and others are refused at once', async () => {
  // The client tries again with pauses of its own, for some ten seconds.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
  onTestFinished(() => void vi.useRealTimers());
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket.resume().on('error', () => undefined)));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const sender = new CommandSender({ brokers: [`127.0.0.1:${port}`], clientId: 'test' });
  const event = { key: 'P1', value: '{}', type: 'binding.paused' };
  const waiting = Array.from({ length: 200 }, () => sender.send('members', event));
  const ended = Promise.allSettled(waiting);
  await expect(sender.send('members', event)).rejects.toMatchObject({ status: 503 });
  silent.close();
  for (const socket of sockets) socket.destroy();
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  while (!isOver) {
    await vi.advanceTimersByTimeAsync(1_000);
    await ioTurn();
  }
  expect((await ended).map(({ status }) => status)).toEqual(waiting.map(() => 'rejected'));
  await sender[Symbol.asyncDispose]();
}, 10_000);

test('who sends is told, by itself after 10 s, that it did not go through in time', async () => {
  const begun = performance.now();
  await expect(inTime(new Promise(() => undefined), 50)).rejects.toMatchObject({
    status: 503,
    message: expect.stringContaining('in time'),
  });
  expect(performance.now() - begun).toBeGreaterThan(45);
  expect(SEND_WITHIN_MS).toBe(10_000);
}, 3_000);
