import { OUTCOME_CODES, type PolicyLookup } from '@repo/domain';
import { countHeld, Ledger, monthsAhead } from '@repo/ledger';
import { createProcessor, type KafkaConnection, KafkaLog, KafkaPublisher } from '@repo/messaging';
import {
  createLogger,
  createMetrics,
  failpointFrom,
  type Logger,
  type Metrics,
  runService,
  type ServiceContext,
  startAdminServer,
  startTracing,
} from '@repo/observability';
import { Envelopes } from '@repo/sealing';
import { explainRefusal } from '@repo/transport';
import { readWorkerConfig, type WorkerConfig } from './config.ts';
import type { Core } from './core.ts';
import { Health } from './health.ts';
import { HeldRoom } from './held-room.ts';
import type { OutboxTargets } from './outbox.ts';
import { withQuarantine } from './quarantine.ts';
import { requirePartitions, requirePolicies, requireSchema } from './requirements.ts';
import { mayBeClearedByRestart } from './restart.ts';
import { classify, shardStore } from './store.ts';
import { traceBatches, tracePublications } from './tracing.ts';

const DATABASE = { 'db.system.name': 'postgresql' };

interface WorkerTools {
  readonly config: WorkerConfig;
  readonly ledger: Ledger;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly policyOf: PolicyLookup;
  readonly targets: OutboxTargets;
  readonly room: HeldRoom;
  /** Where a test may stop or kill this process; does nothing otherwise. */
  readonly failpoint: (name: string) => void;
}

/** What makes one worker differ from another. */
export interface WorkerParts {
  readonly name: string;
  readonly stream: 'claims' | 'members';
  readonly topic: (config: WorkerConfig) => string;
  readonly targets: (config: WorkerConfig) => Omit<OutboxTargets, 'envelopes'>;
  readonly build: (tools: WorkerTools) => Core;
  /** What the process does besides its shards, started after them. */
  readonly background?: (tools: WorkerBackground) => Promise<void>;
}

export interface WorkerBackground {
  readonly config: WorkerConfig;
  readonly connection: KafkaConnection;
  readonly ledger: Ledger;
  readonly log: Logger;
  /** For what `background` opens: closed in reverse order when the worker stops. */
  readonly stack: AsyncDisposableStack;
}

/**
 * Runs this process as a worker until it is told to stop: applies one input topic to the ledger and publishes the results exactly once.
 */
export function runWorker(parts: WorkerParts): void {
  const config = readWorkerConfig();
  const log = createLogger({ service: parts.name, level: config.logLevel });
  log.info({ config: config.shown }, 'settings');
  runService({
    name: parts.name,
    log,
    explain: explainRefusal,
    start: (context) => start(parts, config, log, context),
  });
}

async function start(parts: WorkerParts, config: WorkerConfig, log: Logger, context: ServiceContext): Promise<void> {
  const { stack, fail } = context;
  const policies = await requirePolicies(config.policyDir, log);
  const metrics = createMetrics({ codes: OUTCOME_CODES, partitions: config.partitions });
  const health = new Health({ stream: parts.stream, metrics, log });
  const tracing = await startTracing(parts.name);
  if (tracing !== null) stack.use(tracing);

  const ledger = await Ledger.open({
    url: config.databaseUrl,
    name: parts.name,
    role: 'gongji_worker',
    connectionsMax: config.partitions + 2,
    onRetry: (reason) => health.retried(reason),
    ...(tracing && { around: (attempt) => tracing.step('database transaction', DATABASE, attempt) }),
  });
  stack.defer(() => ledger.close());
  metrics.beforeScrape(async () => {
    health.showAges();
    const connections = await ledger.connections();
    for (const state of ['busy', 'idle', 'waiting'] as const) metrics.dbPool.set({ state }, connections[state]);
  });
  const failpoint = failpointFrom(config.failpoint);
  const app = `${config.prefix}-${parts.name}`;
  const connection = {
    brokers: config.brokers,
    ...config.kafkaAccess,
    clientId: `${app}-${process.pid}`,
    // Logged as warnings: what kafkajs calls an error, such as a rebalance, is handled by the processing primitive, and nobody must act on
    // it.
    log: (_level: 'warn' | 'error', message: string) => log.warn({ component: 'kafka' }, message),
  };
  const topic = parts.topic(config);
  const targets = { ...parts.targets(config), envelopes: Envelopes.read(config.envelopeKeyFile) };
  const policyOf: PolicyLookup = (area, on) => policies.policyAt(area, on);

  const publisher = new KafkaPublisher({
    ...{ connection, app, topic, resultsTopic: targets.results, failpoint },
    onWait: () => health.waitedForBroker(),
  });
  stack.defer(() => publisher.close());
  const room = new HeldRoom();
  const core = parts.build({ config, ledger, metrics, log, policyOf, targets, room, failpoint });
  // Without a database the last values stay; other metrics show that it is away.
  const showStored = <T>(read: () => Promise<T>, show: (stored: T) => void): void =>
    metrics.beforeScrape(() => read().then(show, () => undefined));
  showStored(
    () => countHeld(ledger, topic),
    (held) => health.showHeld(held),
  );
  showStored(
    () => monthsAhead(ledger),
    (months) => metrics.monthsAhead.set({}, months),
  );
  const processor = withQuarantine(core, {
    ...{ ledger, policyOf, targets, room, failpoint },
    onOrder: (shard, step) => health.orderMoved(shard, step),
    onWorkHeld: (shard, error) => health.workHeld(shard, error),
  });
  const handler = createProcessor({
    topic,
    owner: config.owner,
    store: shardStore(ledger, targets),
    publisher: tracing === null ? publisher : tracePublications(tracing, publisher, targets.results),
    processor: tracing === null ? processor : traceBatches(tracing, processor),
    classify,
    failpoint,
    limits: { batchRecordsMax: config.batchMax },
    observer: health.observer,
    onHalt: (shard, reason, error) => {
      log.error({ partition: shard.partition, reason, error }, 'a shard halted and needs a person');
      if (mayBeClearedByRestart(reason, process.uptime())) fail(error);
    },
  });
  const input = new KafkaLog({ connection, topic, groupId: app, onCrash: fail, onPoll: () => health.polled() });

  const admin = await startAdminServer({
    port: config.adminPort,
    host: config.adminHost,
    metrics,
    explain: explainRefusal,
    live: { poll: () => health.pollProblem() },
    ready: {
      database: async () => {
        const missing = await ledger.missingMigrations();
        return missing.length === 0 ? null : `migrations are missing: ${missing.join(', ')}`;
      },
      broker: () => health.pollProblem(),
      shards: () => health.shardProblem(),
    },
  });
  stack.use(admin);
  await requireSchema({ ledger, log, signal: context.signal });
  await requirePartitions({ topic, expected: config.partitions, connection, ledger, log, signal: context.signal });
  stack.defer(() => input.stop());
  await input.run(handler);
  await parts.background?.({ config, connection, ledger, log, stack });
}
