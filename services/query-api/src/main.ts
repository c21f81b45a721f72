import { OUTCOME_CODES, topicsOf } from '@repo/contracts';
import { Ledger, Snapshot } from '@repo/ledger';
import { type KafkaConnection, RecordReader } from '@repo/messaging';
import { createLogger, createMetrics, runService, startAdminServer, startTracing } from '@repo/observability';
import { Envelopes } from '@repo/sealing';
import { requirePolicies } from '@repo/shard-worker';
import { explainRefusal } from '@repo/transport';
import { createGuard } from './access.ts';
import { brokerProblem } from './broker.ts';
import { readConfig } from './config.ts';
import { CommandSender } from './sender.ts';
import { buildServer } from './server.ts';
import { askWorkers } from './workers.ts';

const config = readConfig();
const log = createLogger({ service: 'query-api', level: config.logLevel });
/** Reading one day of a large city takes a while, hence the limit (ms). */
const REPORTS = { name: 'gongji-query-api-reports', limitMs: 120_000 };
/** Few operators work at a time, so few connections are enough. */
const OPERATOR = { name: 'gongji-query-api-operator', connectionsMax: 2 };

runService({
  name: 'query-api',
  log,
  start: async ({ stack }) => {
    log.info({ config: config.shown }, 'settings');
    const policies = await requirePolicies(config.policyDir, log);
    const tracing = await startTracing('query-api');
    if (tracing !== null) stack.use(tracing);
    const ledger = await Ledger.open({ ...config.database, name: 'gongji-query-api' });
    stack.defer(() => ledger.close());
    const operator = config.operatorDatabase && (await Ledger.open({ ...config.operatorDatabase, ...OPERATOR }));
    stack.defer(async () => operator?.close());
    const admin = await startAdminServer({
      port: config.adminPort ?? 0,
      // Without a port of its own, only this process asks it, so it listens on the loopback address.
      ...(config.adminPort === undefined ? {} : { host: config.adminHost }),
      explain: explainRefusal,
      live: {},
      ready: {
        broker: () => brokerProblem(config.brokers, config.kafkaAccess.ssl),
        database: async () => {
          await ledger.rows('select 1');
          return null;
        },
        migrations: async () => {
          const missing = await ledger.missingMigrations();
          return missing.length === 0 ? null : `missing: ${missing.join(', ')}`;
        },
      },
      metrics: createMetrics({ codes: Object.keys(OUTCOME_CODES), partitions: 0 }),
    });
    stack.use(admin);
    const kafka: KafkaConnection = {
      brokers: config.brokers,
      ...config.kafkaAccess,
      clientId: `${config.prefix}-query-api-${process.pid}`,
      log: (_level, message) => log.warn({ component: 'kafka' }, message),
    };
    const sender = stack.use(new CommandSender(kafka));
    const reader = stack.use(new RecordReader(kafka));
    const app = buildServer({
      ledger,
      policies,
      log,
      tracing,
      now: Date.now,
      guard: config.oidc === null ? undefined : createGuard(config.oidc),
      requestsPerMinuteMax: config.requestsPerMinuteMax,
      adminPort: config.adminPort === undefined ? admin.port : undefined,
      futureDaysMax: config.futureDaysMax,
      commands: {
        topics: topicsOf(config.prefix),
        send: sender.send,
        sendAgain: sender.sendAgain,
        waitMs: config.commandWaitMs,
      },
      readInput: (place, options) => reader.read(place, options),
      prefix: config.prefix,
      openSnapshot: () => Snapshot.open(config.database.url, REPORTS),
      operator,
      envelopes: config.envelopeKeyFile === undefined ? null : Envelopes.read(config.envelopeKeyFile),
      workers: config.workerMetrics === null ? undefined : askWorkers(config.workerMetrics),
      console: config.console,
    });
    stack.defer(() => app.close());
    await app.listen({ host: config.host, port: config.port });
    log.info({ host: config.host, port: config.port }, 'listening');
  },
});
