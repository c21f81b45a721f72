import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, schemaKey } from '@repo/ledger';
import { cloneDatabase, freshTopicPrefix, testBrokers } from '@repo/testkit';
import { expect, onTestFailed, test } from 'vitest';
import { openSystem } from '../../src/system.ts';
import { feedHttp } from '../../src/targets/http.ts';
import { feedTopics } from '../../src/targets/topics.ts';

// The short form; `npm run fuzz` takes other seeds and as many inputs as are wanted.
const SEED = 20_261_127;

test('the running system takes hostile records, and its HTTP interface hostile requests, as promised', {
  timeout: 600_000,
}, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'gongji-fuzz-'));
  onTestFailed(() => console.error(`seed ${SEED}; logs are kept in ${dataDir}`));
  const { url: databaseUrl } = await cloneDatabase({ key: schemaKey(), migrate });
  const prefix = freshTopicPrefix();
  const at = { kafka: testBrokers(), databaseUrl, prefix };
  const system = await openSystem({ dataDir, log: () => {}, at });
  try {
    const records = await feedTopics(system, prefix, { seed: SEED, from: 0, inputs: 1_500 });
    expect(records).toMatchObject({ inputs: 1_500, findings: [] });
    const requests = await feedHttp(system.http, { seed: SEED, from: 0, inputs: 800 });
    expect(requests).toMatchObject({ inputs: 800, findings: [] });
  } finally {
    await system.stop();
  }
  rmSync(dataDir, { recursive: true });
});

test('an HTTP interface that answers otherwise than it says is found out', async () => {
  const schema = { type: 'object', required: ['name'], properties: { name: { type: 'string' } } };
  const operation = { responses: { 200: { content: { 'application/json': { schema } } } } };
  const answers = [
    [200, 'application/json', '{"name":1}'],
    [200, 'text/html', '<p>'],
    [500, 'application/problem+json', '{"status":500,"detail":"x"}'],
    [409, 'application/problem+json', '{"status":409,"detail":"x"}'],
    [400, 'application/json', '{"status":400,"detail":"x"}'],
  ] as const;
  for (const [status, type, body] of answers) {
    const server = createServer((request, response) => {
      const isDocument = request.url === '/openapi.json';
      response.writeHead(isDocument ? 200 : status, { 'content-type': isDocument ? 'application/json' : type });
      response.end(
        isDocument ? JSON.stringify({ openapi: '3.1.0', paths: { '/v1/thing': { get: operation } } }) : body,
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const { findings } = await feedHttp(`http://127.0.0.1:${port}`, { seed: SEED, from: 0, inputs: 40 });
    expect(findings.length, `${status} ${type}`).toBeGreaterThan(0);
    server.closeAllConnections();
    server.close();
  }
});
