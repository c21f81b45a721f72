import net from 'node:net';
import type { ISocketFactory } from 'kafkajs';

/** Kafka's numbers of the requests a publisher and a consumer depend on. */
export const API = {
  Produce: 0,
  OffsetFetch: 9,
  JoinGroup: 11,
  Heartbeat: 12,
  ApiVersions: 18,
  InitProducerId: 22,
  AddPartitionsToTxn: 24,
  AddOffsetsToTxn: 25,
  EndTxn: 26,
  TxnOffsetCommit: 28,
} as const;

export type Fault = 'lose request' | 'lose answer' | { readonly answer: Buffer };

/** JoinGroup's answer, version 5, with nothing in it but an error. */
export function joinRefused(errorCode: number): Fault {
  const answer = Buffer.alloc(20);
  answer.writeInt16BE(errorCode, 4);
  answer.writeInt32BE(-1, 6);
  return { answer };
}

/** The answer of a broker that does not know this version of ApiVersions, in the form of version 0. */
const VERSIONS_REFUSED: Fault = { answer: Buffer.from([0, 35, 0, 0, 0, 0]) };
/** Of a cluster that has not agreed on transactions of version 2 nobody is told anything about agreements. */
export const withoutAgreements = (apiKey: number, apiVersion: number): Fault | undefined =>
  apiKey === API.ApiVersions && apiVersion >= 3 ? VERSIONS_REFUSED : undefined;

/**
 * Sockets that know Kafka's frames: `decide` may have a request, or its answer, lost together with the connection, or answer it in the
 * broker's place.
 */
export const faultySockets =
  (decide: (apiKey: number, apiVersion: number) => Fault | undefined): ISocketFactory =>
  ({ host, port, onConnect }) => {
    const socket = net.connect({ host, port }, onConnect).setNoDelay(true);
    const cut = (): void => void socket.destroy(new Error('cut by the test'));
    const write = socket.write.bind(socket);
    // kafkajs writes each request whole: 4 bytes of length, then the number of the API and its version.
    socket.write = (frame: Buffer, ...rest: never[]): boolean => {
      const fault = decide(frame.readInt16BE(4), frame.readInt16BE(6));
      if (fault === 'lose request') {
        cut();
        return false;
      }
      if (typeof fault === 'object') {
        const head = Buffer.alloc(8);
        head.writeInt32BE(4 + fault.answer.length);
        frame.copy(head, 4, 8, 12);
        process.nextTick(() => socket.emit('data', Buffer.concat([head, fault.answer])));
        return true;
      }
      if (fault === 'lose answer') {
        socket.removeAllListeners('data');
        socket.once('data', cut);
      }
      return write(frame, ...rest);
    };
    return socket;
  };
