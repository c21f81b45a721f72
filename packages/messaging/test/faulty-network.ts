import net from 'node:net';
import type { ISocketFactory } from 'kafkajs';

/** Kafka's numbers of the requests a publisher and a consumer depend on. */
export const API = {
  Produce: 0,
  OffsetFetch: 9,
  JoinGroup: 11,
  Heartbeat: 12,
  InitProducerId: 22,
  AddPartitionsToTxn: 24,
  AddOffsetsToTxn: 25,
  EndTxn: 26,
  TxnOffsetCommit: 28,
} as const;

export type Fault = 'lose request' | 'lose answer';

/** Sockets that know Kafka's frames: `decide` may have a request, or its answer, lost together with the connection. */
export const faultySockets =
  (decide: (apiKey: number) => Fault | undefined): ISocketFactory =>
  ({ host, port, onConnect }) => {
    const socket = net.connect({ host, port }, onConnect).setNoDelay(true);
    const cut = (): void => void socket.destroy(new Error('cut by the test'));
    const write = socket.write.bind(socket);
    // kafkajs writes each request whole: 4 bytes of length, then the number of the API.
    socket.write = (frame: Buffer, ...rest: never[]): boolean => {
      const fault = decide(frame.readInt16BE(4));
      if (fault === 'lose request') {
        cut();
        return false;
      }
      if (fault === 'lose answer') {
        socket.removeAllListeners('data');
        socket.once('data', cut);
      }
      return write(frame, ...rest);
    };
    return socket;
  };
