import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readSettings } from '../src/config.ts';
import { removeAddresses, runningServers, writeAddresses } from '../src/system/addresses.ts';

const unset = { kafkaBrokers: undefined, databaseUrl: undefined, topicPrefix: 'gongji' };
const postgresUrl = 'postgresql://u:p@127.0.0.1:2/d';
const running = { kafka: '127.0.0.1:1,127.0.0.1:4', postgresUrl, http: 'http://127.0.0.1:3', topicPrefix: 'x' };

test('a running system is found by its data directory, by its owner alone, until it has stopped', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'gongji-cli-test-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  // How one's own brokers are reached says nothing of those that run here.
  const kafkaAccess = { ssl: { ca: 'ours' } };
  const settings = { ...readSettings(), ...unset, kafkaAccess, dataDir };
  expect(runningServers(settings)).toBeNull();
  writeAddresses(dataDir, running);
  const brokers = ['127.0.0.1:1', '127.0.0.1:4'];
  expect(runningServers(settings)).toEqual({
    databaseUrl: postgresUrl,
    brokers,
    kafkaAccess: {},
    topicPrefix: 'x',
  });
  expect(statSync(join(dataDir, 'addresses.json')).mode & 0o077).toBe(0);
  const own = { ...settings, databaseUrl: 'postgresql://own', kafkaBrokers: ['own:1'] };
  expect(runningServers(own)).toEqual({
    databaseUrl: 'postgresql://own',
    brokers: ['own:1'],
    kafkaAccess,
    topicPrefix: 'gongji',
  });
  writeFileSync(join(dataDir, 'addresses.json'), '{"kafka":1}');
  expect(runningServers(settings)).toBeNull();
  writeAddresses(dataDir, running);
  removeAddresses(dataDir);
  removeAddresses(dataDir);
  expect(runningServers(settings)).toBeNull();
});
