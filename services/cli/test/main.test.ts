import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

/** A server that answers the first message of whoever connects as PostgreSQL answers a statement that it refuses. */
async function startRefusing(fields: Readonly<Record<string, string>>): Promise<number> {
  const body = `${Object.entries(fields)
    .map(([name, text]) => `${name}${text}\0`)
    .join('')}\0`;
  const length = Buffer.alloc(4);
  length.writeInt32BE(Buffer.byteLength(body) + 4);
  const answer = Buffer.concat([Buffer.from('E'), length, Buffer.from(body)]);
  const server = createServer((socket) => socket.on('error', () => undefined).once('data', () => socket.end(answer)));
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

test('of an error of the database that nobody expected code and place are told, and no value of a row', async () => {
  const port = await startRefusing({
    S: 'ERROR',
    V: 'ERROR',
    C: '23505',
    M: 'duplicate key value violates unique constraint "pk_account"',
    D: 'Key (psn_no)=(P-of-somebody) already exists.',
    W: 'COPY account, line 1: "P-of-somebody"',
    n: 'pk_account',
  });
  const env = { ...process.env, GONGJI_DATABASE_URL: `postgresql://u:p@127.0.0.1:${port}/d` };
  const main = join(import.meta.dirname, '../src/main.ts');
  const ended = await promisify(execFile)(process.execPath, [main, 'partitions', 'list'], { env }).catch(
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toMatch(/"code": "23505",\s+"constraint": "pk_account",\s+"frames": \[/);
  expect(ended.stderr).not.toContain('somebody');
});
