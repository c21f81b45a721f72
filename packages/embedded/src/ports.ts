import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { StartFailure } from './failure.ts';

/** The only address the embedded servers listen on. */
export const HOST = '127.0.0.1';

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, HOST, () => server.close(() => resolve(true)));
  });

/** Whoever was given one may not listen on it yet. */
const givenOut = new Set<number>();

/**
 * A TCP port of 127.0.0.1 nobody listens on, and that was not given out here before. It lies below the range the kernel gives to
 * outgoing connections (32768 and up on Linux): a port out of that range could be taken by some client while its server is being
 * restarted.
 */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(20_000, 30_000);
    if (givenOut.has(port) || !(await isFree(port))) continue;
    givenOut.add(port);
    return port;
  }
  throw new StartFailure(
    'No free TCP port found between 20000 and 29999 on 127.0.0.1; stop some of the programs that hold them.',
  );
}

/** The port asked for, if it is free, else a `StartFailure` naming the setting; without one, a free port. */
export async function choosePort(wanted: number | undefined, setting: string): Promise<number> {
  if (wanted === undefined) return findFreePort();
  if (await isFree(wanted)) return wanted;
  throw new StartFailure(
    `Port ${wanted} on ${HOST} is taken. Stop the program that listens there, or set ${setting} to another port (or unset it for a free one).`,
  );
}
