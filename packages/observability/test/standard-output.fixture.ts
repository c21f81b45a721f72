import { createLogger } from '../src/logger.ts';

/** Logs as many lines as it is told to and a fatal one, says so on standard error, and logs one more when it is sent something. */
void process.stdout; // as a library may: from then on a pipe does not block
const log = createLogger({ service: 'fixture' });
for (let index = 0; index < Number(process.argv[2]); index++) log.info({ count: index }, 'a line');
log.fatal({ error: new Error('the last') }, 'the end');
process.once('message', () => {
  log.info('there is room again');
  process.disconnect();
});
process.stderr.write('written');
