import { resolve } from 'node:path';
import { GenericContainer, getContainerRuntimeClient, StartupCheckStrategy, type StartupStatus } from 'testcontainers';
import { StartFailure } from './failure.ts';
import { IMAGES } from './images.ts';
import { brokerSettings } from './kafka.ts';
import { kafkaAnswers } from './kafka-probe.ts';
import { choosePort, HOST } from './ports.ts';
import { DATABASE, newPassword, OWNER, ownersUrl, serverSettings } from './postgres.ts';
import { postgresAnswers } from './postgres-probe.ts';
import { READY_WITHIN_MS } from './ready.ts';
import type { Server, ServersOptions } from './servers.ts';

type Log = (line: string) => void;

/** Names the data directory a container belongs to, so that a later start finds what an unclean death left. */
const OWNER_LABEL = 'gongji.server';

/**
 * Kafka in a container. Its data goes away with it: containers are for trying things out, and for tests. The library's own
 * Kafka container starts Confluent's image only. The broker speaks to itself through a listener that clients are not told of,
 * since the address they are told leads nowhere inside the container.
 */
export async function launchKafka(options: ServersOptions, log: Log): Promise<Server> {
  const port = await choosePort(options.kafkaPort, 'GONGJI_KAFKA_PORT');
  const controller = `${HOST}:9093`;
  const settings = {
    ...brokerSettings({ port, controllerPort: 9093, logDir: '/var/lib/kafka/data' }),
    listeners: `CLIENTS://:9092,BROKER://${HOST}:9094,CONTROLLER://${controller}`,
    'advertised.listeners': `CLIENTS://${HOST}:${port},BROKER://${HOST}:9094`,
    'listener.security.protocol.map': 'CLIENTS:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'BROKER',
    // The image formats its storage for voters that are named here.
    'controller.quorum.voters': `1@${controller}`,
    ...options.kafkaSettings,
  };
  // The image takes settings as variables: KAFKA_, upper case, dots as underscores.
  const variables = Object.entries(settings).map(([name, value]) => [
    `KAFKA_${name.toUpperCase().replaceAll('.', '_')}`,
    value,
  ]);
  const container = new LocalContainer(IMAGES.kafka)
    .withEnvironment({ ...Object.fromEntries(variables), KAFKA_HEAP_OPTS: `-Xmx${options.kafkaHeap ?? '1g'} -Xms256m` })
    .withExposedPorts({ container: 9092, host: port });
  const stop = await launch(
    { name: 'kafka', container, answers: () => kafkaAnswers({ host: HOST, port }) },
    options,
    log,
  );
  return containerServer(`${HOST}:${port}`, stop);
}

/** PostgreSQL in a container, with the settings of the embedded one. Its data goes away with it. */
export async function launchPostgres(options: ServersOptions, log: Log): Promise<Server> {
  const port = await choosePort(options.postgresPort, 'GONGJI_POSTGRES_PORT');
  const password = newPassword();
  const url = ownersUrl(password, port);
  const settings = { ...serverSettings(), ...options.postgresSettings };
  const container = new LocalContainer(IMAGES.postgres)
    .withEnvironment({
      POSTGRES_USER: OWNER,
      POSTGRES_PASSWORD: password,
      POSTGRES_DB: DATABASE,
      POSTGRES_INITDB_ARGS: '--locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 --encoding=UTF8',
    })
    .withCommand(['postgres', ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])])
    .withExposedPorts({ container: 5432, host: port })
    // Parallel queries meet there; an engine gives 64 MB.
    .withSharedMemorySize(256 * 1024 ** 2);
  const stop = await launch({ name: 'postgres', container, answers: () => postgresAnswers(url) }, options, log);
  return containerServer(url, stop);
}

/** A container whose ports are open on this machine only, where the library opens them on every address it has. */
class LocalContainer extends GenericContainer {
  protected override async beforeContainerCreated(): Promise<void> {
    const bindings: { HostIp?: string }[][] = Object.values(this.hostConfig.PortBindings ?? {});
    for (const binding of bindings.flat()) binding.HostIp = HOST;
    this.hostConfig.RestartPolicy = { Name: 'on-failure' };
  }
}

/** Ready when the server answers us. A container that ends before that will not become ready: its last lines say why. */
class Answers extends StartupCheckStrategy {
  readonly #answers: () => Promise<boolean>;

  constructor(answers: () => Promise<boolean>) {
    super();
    this.#answers = answers;
  }

  override async checkStartupState(engine: Engine, id: string): Promise<StartupStatus> {
    if (await this.#answers()) return 'SUCCESS';
    const container = engine.getContainer(id);
    const { State, RestartCount } = await container.inspect();
    if (State.Running && RestartCount === 0) return 'PENDING';
    const lines = await container.logs({ follow: false, stdout: true, stderr: true, tail: 20 });
    const printable = String(lines).replace(/[^\x20-\x7e\n]/g, '');
    throw new Error(`it ended before it was ready. Its last lines:\n${printable}`);
  }
}
type Engine = Parameters<StartupCheckStrategy['checkStartupState']>[0];

interface Launch {
  readonly name: string;
  readonly container: GenericContainer;
  readonly answers: () => Promise<boolean>;
}

/** Starts a container and waits until its server answers. Answers how to stop it. */
async function launch({ name, container, answers }: Launch, options: ServersOptions, log: Log) {
  const owner = `${name} ${resolve(options.dataDir)}`;
  try {
    if ((await removeContainers(owner)) > 0) log(`ended ${name}'s container, left running by an earlier start`);
    log(`starting ${name} in a container`);
    const started = await container
      .withLabels({ [OWNER_LABEL]: owner })
      .withWaitStrategy(new Answers(answers).withStartupTimeout(READY_WITHIN_MS))
      .start();
    return async () => void (await started.stop());
  } catch (error) {
    await removeContainers(owner).catch(() => {});
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartFailure(
      `The container of ${name} could not be started: ${reason}\nStart Docker or another engine Testcontainers finds, or unset GONGJI_SERVERS to run the servers without containers.`,
      { cause: error },
    );
  }
}

async function removeContainers(owner: string): Promise<number> {
  const { dockerode: engine } = (await getContainerRuntimeClient()).container;
  const found = await engine.listContainers({ all: true, filters: { label: [`${OWNER_LABEL}=${owner}`] } });
  for (const { Id } of found) await engine.getContainer(Id).remove({ force: true, v: true });
  return found.length;
}

function containerServer(address: string, stop: () => Promise<void>): Server {
  const refuse = (): never => {
    throw new StartFailure(
      'A server in a container is no process of ours: it cannot be killed and restarted from here.',
    );
  };
  return { address, pid: refuse, kill: async () => refuse(), start: async () => refuse(), stop };
}
