import { PostgreSqlContainer } from '@testcontainers/postgresql';
import { GenericContainer } from 'testcontainers';
import { StartFailure } from './failure.ts';
import { brokerSettings } from './kafka.ts';
import { kafkaAnswers } from './kafka-probe.ts';
import { KAFKA_VERSION } from './kafka-programs.ts';
import { choosePort, HOST } from './ports.ts';
import type { Server, ServersOptions } from './servers.ts';
import { waitFor } from './wait.ts';

type Log = (line: string) => void;

const READY_WITHIN_MS = 120_000;

/**
 * Kafka in a container. Its data goes away with it: containers are for trying things out, and for tests. The library's own
 * Kafka container starts Confluent's image only. A broker tells clients its address, so the port is the same inside and out.
 */
export async function launchKafka({ kafkaPort, kafkaSettings = {} }: ServersOptions, log: Log): Promise<Server> {
  const image = `apache/kafka:${KAFKA_VERSION}`;
  log(`starting a container of ${image}`);
  const port = await choosePort(kafkaPort, 'GONGJI_KAFKA_PORT');
  const inside = brokerSettings({ port, controllerPort: port + 1, logDir: '/tmp/kafka-logs' });
  const settings = {
    ...inside,
    listeners: `PLAINTEXT://:${port},CONTROLLER://${HOST}:${port + 1}`,
    'controller.quorum.voters': `1@${HOST}:${port + 1}`,
    ...kafkaSettings,
  };
  // The image takes settings as variables: KAFKA_, upper case, dots as underscores.
  const environment = Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`KAFKA_${name.toUpperCase().replaceAll('.', '_')}`, value]),
  );
  const container = new GenericContainer(image)
    .withEnvironment(environment)
    .withExposedPorts({ container: port, host: port });
  const started = await explain(container.start());
  if (!(await waitFor(() => kafkaAnswers({ host: HOST, port }), READY_WITHIN_MS))) {
    await started.stop();
    throw new StartFailure(`Kafka's container did not answer within ${READY_WITHIN_MS / 1000} s.`);
  }
  return containerServer(`${HOST}:${port}`, () => started.stop());
}

/** PostgreSQL in a container. */
export async function launchPostgres({ postgresSettings = {} }: ServersOptions, log: Log): Promise<Server> {
  const image = 'postgres:18';
  log(`starting a container of ${image}`);
  const settings = {
    max_connections: '200',
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
    ...postgresSettings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const container = await explain(
    new PostgreSqlContainer(image)
      .withDatabase('gongji')
      .withUsername('gongji')
      .withEnvironment({
        POSTGRES_INITDB_ARGS: '--locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 --encoding=UTF8',
      })
      .withCommand(['postgres', ...flags])
      .start(),
  );
  return containerServer(container.getConnectionUri(), () => container.stop());
}

async function explain<T>(starting: Promise<T>): Promise<T> {
  try {
    return await starting;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartFailure(
      `Containers could not be started (${reason}). Start Docker or another engine Testcontainers finds, or unset GONGJI_SERVERS to run the servers without containers.`,
      { cause: error },
    );
  }
}

function containerServer(address: string, stop: () => Promise<unknown>): Server {
  const refuse = (): never => {
    throw new StartFailure('A server in a container cannot be killed and restarted from here; its port would change.');
  };
  return {
    address,
    pid: refuse,
    kill: async () => refuse(),
    start: async () => refuse(),
    stop: async () => {
      await stop();
    },
  };
}
