import { protocolErrorOf } from './errors.ts';
import { decodingMessages } from './fetched-records.ts';
import { type EncoderClass, joiningOnce, producingInParts } from './produce-request.ts';
import { type Broker, type Cluster, type CreateEosManager, type Protocol, secondVersion } from './transactions.ts';

/**
 * Replaces what is wrong inside kafkajs 2.2.4, its last release, so that no fix will come. Each replacement is the smallest module or
 * method that is wrong, and applies to that version only.
 */

interface FetchedMessage {
  readonly offset: string;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

const compareOffsets = (left: AbortedTransaction, right: AbortedTransaction): number => {
  const difference = BigInt(left.firstOffset) - BigInt(right.firstOffset);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
};

/**
 * Drops the records of aborted transactions. kafkajs expects the broker's list of them sorted by first offset, but it comes sorted by end;
 * and it takes at most one transaction from the list per message. Where several producers interleave in a partition it therefore delivers
 * aborted records.
 */
export function filterAbortedMessages<M extends FetchedMessage>({
  messages,
  abortedTransactions,
}: {
  messages: readonly M[];
  abortedTransactions: readonly AbortedTransaction[] | null;
}): readonly M[] {
  if (abortedTransactions === null || abortedTransactions.length === 0) return messages;
  const pending = abortedTransactions.toSorted(compareOffsets);
  const aborting = new Set<string>();
  return messages.filter(({ offset, isControlRecord, batchContext: { producerId, inTransaction } }) => {
    while (pending[0] !== undefined && BigInt(pending[0].firstOffset) <= BigInt(offset)) {
      aborting.add(pending[0].producerId);
      pending.shift();
    }
    // A control record (commit or abort) ends its producer's transaction.
    if (isControlRecord) aborting.delete(producerId);
    return isControlRecord || !inTransaction || !aborting.has(producerId);
  });
}

interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
}

const PENDING_CHECK_MS = 10;

/** kafkajs' method, but it sets its timer only when a request waits: the original re-arms a 1 ms timer for ever on every connection. */
function scheduleCheckPendingRequests(this: RequestQueue): void {
  const throttledForMs = this.throttledUntil - Date.now();
  if (this.throttleCheckTimeoutId !== null || (this.pending.length === 0 && throttledForMs <= 0)) return;
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    },
    throttledForMs > 0 ? throttledForMs : PENDING_CHECK_MS,
  );
}

interface Grouping<M> {
  readonly topic: string;
  readonly partitionMetadata: readonly unknown[];
  readonly messages: readonly M[];
  readonly partitioner: (message: { topic: string; partitionMetadata: readonly unknown[]; message: M }) => number;
}

/** kafkajs copies a partition's whole list for each message it adds, which is quadratic. */
const groupingInPlace = <M>({ topic, partitionMetadata, messages, partitioner }: Grouping<M>) =>
  Object.groupBy(messages, (message) => partitioner({ topic, partitionMetadata, message }));

/**
 * Remembers a producer's coordinators: kafkajs looks them up before each request of a transaction. Where a coordinator has moved, its
 * answer is an error, after which the producer is thrown away together with what it remembers.
 */
function rememberingCoordinators(createEosManager: CreateEosManager): CreateEosManager {
  return (options) => {
    const known = new Map<string, Broker>();
    const cluster: Cluster = Object.create(options.cluster);
    cluster.findGroupCoordinator = async (query) => {
      const name = `${query.coordinatorType} ${query.groupId}`;
      const remembered = known.get(name);
      if (remembered?.isConnected()) return remembered;
      const found = await options.cluster.findGroupCoordinator(query);
      known.set(name, found);
      return found;
    };
    return createEosManager({ ...options, cluster });
  };
}

type WithBroker = (callback: (query: unknown) => Promise<unknown>) => Promise<unknown>;

/**
 * kafkajs asks one broker after the other and forgets their errors: a group that the user may not read is "not found", and is looked for
 * again and again. All brokers know the same permissions, so the last refusal is thrown instead.
 */
function tellingRefusals(withBroker: WithBroker): WithBroker {
  return async function (this: unknown, callback) {
    let refusal: unknown;
    const found = await withBroker.call(this, async (query) => {
      try {
        return await callback(query);
      } catch (error) {
        if (protocolErrorOf(error)?.endsWith('_AUTHORIZATION_FAILED') === true) refusal = error;
        throw error;
      }
    });
    if (found === null && refusal !== undefined) throw refusal;
    return found;
  };
}

interface Connection {
  readonly socket: { destroy(): unknown } | undefined;
  isConnected(): boolean;
  rejectRequests(error: unknown): void;
  disconnect(): Promise<unknown>;
}

type SendRequest = (this: Connection, request: unknown) => Promise<unknown>;

/**
 * Closes a connection once a request on it got no answer in time, as Kafka's own client does. kafkajs would go on using a connection that
 * the other side has lost without notice (a firewall, a NAT, a host that died), and every request on it would time out.
 */
function leavingSilence(send: SendRequest): SendRequest {
  return async function (request) {
    const { socket } = this;
    try {
      return await send.call(this, request);
    } catch (error) {
      const isSilent = error instanceof Error && error.name === 'KafkaJSRequestTimeoutError';
      if (isSilent && this.socket === socket && this.isConnected()) {
        this.rejectRequests(error);
        await this.disconnect();
        socket?.destroy();
      }
      throw error;
    }
  };
}

type Connect = (this: Connection) => Promise<unknown>;

/** Destroys the socket where connecting fails: kafkajs waits for an orderly end from a peer that never answers, and keeps the socket. */
function closingWhatFailed(connect: Connect): Connect {
  return async function () {
    try {
      return await connect.call(this);
    } catch (error) {
      this.socket?.destroy();
      throw error;
    }
  };
}

/** A broker answers a login within a second; the TLS handshake before it has the connection's own timeout. */
const LOGIN_LIMIT_MS = 10_000;

type Authenticate = (this: { readonly connection: Connection & { readonly broker: string } }) => Promise<void>;
type ConnectionError = new (message: string, options: { broker: string }) => Error;

/**
 * Ends a login that takes longer than `LOGIN_LIMIT_MS`, whichever of its steps gets no answer: kafkajs has no timeout for it, it only
 * limits how long others wait.
 */
const limitingLogin = (ConnectionError: ConnectionError) => (authenticate: Authenticate) =>
  async function (this: ThisParameterType<Authenticate>): Promise<void> {
    const { connection } = this;
    const { socket, broker } = connection;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const error = new ConnectionError('the login got no answer', { broker });
      late.reject(error);
      connection.rejectRequests(error);
      void connection.disconnect().finally(() => socket?.destroy());
    }, LOGIN_LIMIT_MS);
    try {
      await Promise.race([authenticate.call(this), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  };

interface VersionRange {
  readonly minVersion: number;
  readonly maxVersion: number;
}

type Versions = Readonly<Record<number, VersionRange>>;

interface Requests {
  readonly requests: Readonly<Record<string, { readonly versions?: ReadonlyArray<string | number> }>>;
  lookup(versions: Versions): unknown;
}

/** Every request that this package depends on, by Kafka's API key. */
const USED: Readonly<Record<number, string>> = {
  0: 'Produce',
  1: 'Fetch',
  2: 'ListOffsets',
  3: 'Metadata',
  8: 'OffsetCommit',
  9: 'OffsetFetch',
  10: 'GroupCoordinator',
  11: 'JoinGroup',
  12: 'Heartbeat',
  13: 'LeaveGroup',
  14: 'SyncGroup',
  19: 'CreateTopics',
  22: 'InitProducerId',
  24: 'AddPartitionsToTxn',
  25: 'AddOffsetsToTxn',
  26: 'EndTxn',
  28: 'TxnOffsetCommit',
};

/**
 * Refuses, on connecting, a broker that no longer supports any version that kafkajs can send. kafkajs itself compares only the newest
 * versions.
 */
export function refusingNewerBrokers({ requests, lookup }: Requests): Requests {
  return {
    requests,
    lookup: (versions) => {
      for (const [number, name] of Object.entries(USED)) {
        const newest = Math.max(...(requests[name]?.versions ?? []).map(Number));
        const range = versions[Number(number)];
        if (range === undefined || newest < range.minVersion) {
          throw new Error(
            `the broker takes ${name} from version ${range?.minVersion} on, kafkajs ${VERSION} sends at most ${newest}`,
          );
        }
      }
      return lookup(versions);
    },
  };
}

type Decoding = Parameters<typeof decodingMessages>[0];

interface Errors {
  readonly KafkaJSConnectionError: ConnectionError;
}

interface Compression {
  readonly lookupCodecByAttributes: Decoding['codecOf'];
}

const VERSION = '2.2.4';

/** Applies every replacement. Must be called before kafkajs itself is loaded. Throws where another version is installed. */
export function patchKafkajs(require: NodeJS.Require): void {
  const { version } = require('kafkajs/package.json') as { version: string };
  if (version !== VERSION) throw new Error(`kafkajs ${version} is installed; the replacements are made for ${VERSION}`);
  const replace = <T>(path: string, make: (original: T) => unknown): void => {
    const original = require(path) as T;
    const module = require.cache[require.resolve(path)];
    if (module === undefined) throw new Error(`${path} is not a module of the require cache`);
    module.exports = make(original);
  };
  const Encoder = require('kafkajs/src/protocol/encoder') as EncoderClass;
  replace('kafkajs/src/consumer/filterAbortedMessages', () => filterAbortedMessages);
  replace('kafkajs/src/producer/groupMessagesPerPartition', () => groupingInPlace);
  replace('kafkajs/src/protocol/requests/produce/v3/request', producingInParts(Encoder));
  replace('kafkajs/src/protocol/request', () => joiningOnce(Encoder));
  const { KafkaJSConnectionError } = require('kafkajs/src/errors') as Errors;
  const { lookupCodecByAttributes: codecOf } = require('kafkajs/src/protocol/message/compression') as Compression;
  const Decoder = require('kafkajs/src/protocol/decoder') as Protocol['Decoder'] & Decoding['Decoder'];
  const decodeOlder = require('kafkajs/src/protocol/messageSet/decoder') as Decoding['decodeOlder'];
  replace('kafkajs/src/protocol/requests/fetch/v4/decodeMessages', () =>
    decodingMessages({ Decoder, codecOf, decodeOlder }),
  );
  const errors = require('kafkajs/src/protocol/error') as Omit<Protocol, 'Encoder' | 'Decoder'>;
  const { manager, produce } = secondVersion({ Encoder, Decoder, ...errors });
  replace('kafkajs/src/producer/eosManager', (original: CreateEosManager) =>
    rememberingCoordinators(manager(original)),
  );
  // The last of the modules, because requiring it loads the ones above.
  replace('kafkajs/src/protocol/requests', refusingNewerBrokers);
  const broker = require('kafkajs/src/broker') as { prototype: { produce: Parameters<typeof produce>[0] } };
  broker.prototype.produce = produce(broker.prototype.produce);
  const pool = require('kafkajs/src/cluster/brokerPool') as { prototype: { withBroker: WithBroker } };
  pool.prototype.withBroker = tellingRefusals(pool.prototype.withBroker);
  const connection = require('kafkajs/src/network/connection') as {
    prototype: { send: SendRequest; connect: Connect };
  };
  connection.prototype.send = leavingSilence(connection.prototype.send);
  connection.prototype.connect = closingWhatFailed(connection.prototype.connect);
  const login = require('kafkajs/src/broker/saslAuthenticator') as { prototype: { authenticate: Authenticate } };
  login.prototype.authenticate = limitingLogin(KafkaJSConnectionError)(login.prototype.authenticate);
  const queue = require('kafkajs/src/network/requestQueue') as { prototype: object };
  Object.assign(queue.prototype, { scheduleCheckPendingRequests });
}
