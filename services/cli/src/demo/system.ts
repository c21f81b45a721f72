import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { topicsOf } from '@repo/contracts';
import { Envelopes } from '@repo/sealing';
import type { Settings } from '../config.ts';
import { startSystem } from '../system/system.ts';
import type { MemberRow } from './city.ts';
import type { DayMessage } from './day.ts';
import type { DemoSystem } from './run.ts';
import type { Verdict } from './summary.ts';

/** A record to be sent, its partition chosen by its key as Kafka's default does. */
interface Outgoing {
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the demo uses of the ledger, of messaging and of the audit. */
export interface DemoTools {
  loadMembers(to: { readonly databaseUrl: string; readonly rows: Iterable<MemberRow> }): Promise<void>;
  /** `send` resolves when the broker has acknowledged every record; the order of a key is kept. */
  openProducer(to: {
    readonly brokers: readonly string[];
    readonly topic: string;
  }): Promise<AsyncDisposable & { send(records: readonly Outgoing[]): Promise<void> }>;
  /** Reads topics from their end, `read_committed`; resolves once no later record can be missed. */
  tail(of: {
    readonly brokers: readonly string[];
    readonly topics: readonly string[];
    readonly onRecord: (topic: string, value: Buffer) => void;
    readonly onFailure: (error: unknown) => void;
  }): Promise<AsyncDisposable>;
  audit(of: {
    readonly databaseUrl: string;
    readonly brokers: readonly string[];
    readonly topicPrefix: string;
    readonly envelopes: Envelopes;
  }): Promise<Verdict>;
}

/** What a demo must not take over from its user: servers, data, rules and addresses of their own, and the port of a running system. */
export function apart(settings: Settings, dataDir: string): Settings {
  const environment = { ...settings.environment };
  // Empty means unset, also against what a file .env says.
  const given = Object.keys(environment).filter((name) => name.startsWith('GONGJI_'));
  for (const name of [...given, 'GONGJI_POLICY_DIR', 'GONGJI_OIDC_ISSUER']) environment[name] = '';
  const servers = { kafkaBrokers: undefined, databaseUrl: undefined, kafkaPort: undefined, postgresPort: undefined };
  const keys = { envelopeKeyFile: undefined };
  return {
    ...settings,
    ...servers,
    ...keys,
    dataDir,
    httpPort: 0,
    adminPort: undefined,
    policyDir: undefined,
    logLevel: 'warn',
    environment,
  };
}

/** Starts the whole system in a temporary folder, deleted when the system is disposed; after a failed start it stays, for its logs. */
export async function startDemoSystem(options: {
  readonly settings: Settings;
  readonly tools: DemoTools;
  readonly log: (line: string) => void;
}): Promise<DemoSystem> {
  const { tools, log } = options;
  const dataDir = await mkdtemp(join(tmpdir(), 'gongji-demo-'));
  const settings = apart(options.settings, dataDir);
  const topics = topicsOf(settings.topicPrefix);
  await using stack = new AsyncDisposableStack();
  const system = await startSystem({ settings, log });
  stack.defer(() => rm(dataDir, { recursive: true, force: true }));
  stack.defer(() => system.stop());
  const brokers = system.kafka.split(',');
  const producer = stack.use(await tools.openProducer({ brokers, topic: topics.claims }));
  const kept = stack.move();
  return {
    loadMembers: (rows) => tools.loadMembers({ databaseUrl: system.postgresUrl, rows }),
    send: (messages) => producer.send(messages.map(outgoing)),
    tail: async ({ settlement, deadLetter, failure }) => {
      const onRecord = (from: string, value: Buffer): void =>
        from === topics.settlements ? settlement(value) : deadLetter();
      kept.use(
        await tools.tail({ brokers, topics: [topics.settlements, topics.deadLetters], onRecord, onFailure: failure }),
      );
    },
    audit: () =>
      tools.audit({
        ...{ databaseUrl: system.postgresUrl, brokers, topicPrefix: settings.topicPrefix },
        envelopes: Envelopes.read(system.envelopeKeyFile),
      }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const outgoing = ({ key, type, value, claimId, at }: DayMessage): Outgoing => ({
  key,
  value,
  headers: {
    ce_specversion: '1.0',
    ce_type: type,
    ce_id: claimId,
    ce_source: '/gongji/demo',
    ce_time: new Date(at).toISOString(),
    'content-type': 'application/json',
  },
});
