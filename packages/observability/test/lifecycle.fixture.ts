import { createLogger, failpointFrom, runService } from '../src/index.ts';

/** A service for lifecycle.test.ts: what it does wrong is named by the first argument. It says on standard output what it does. */
const mode = process.argv[2];
const log = createLogger({ service: 'fixture' });
const failpoint = failpointFrom(process.env.GONGJI_FAILPOINT);
const say = (text: string) => void process.stdout.write(`${text}\n`);

runService({
  name: 'fixture',
  log,
  stopLimitMs: 300,
  refusedPauseMs: 400,
  explain: (error) => (mode === 'refused' && error instanceof Error ? 'the server refuses us' : undefined),
  start: async ({ stack, fail }) => {
    stack.defer(() => say('closed first'));
    stack.defer(() => (mode === 'hangs' ? new Promise<void>(() => {}) : say('closed second')));
    if (mode === 'cannot-start' || mode === 'refused') throw new Error('row of 王伟');
    setInterval(() => {}, 1_000);
    if (mode === 'rejects')
      setImmediate(() => void Promise.reject(Object.assign(new Error('row of 王伟'), { code: '40P01' })));
    if (mode === 'fails') setImmediate(fail, Object.assign(new Error('row of 王伟'), { code: 'KAFKA_CRASH' }));
    say('up');
    if (mode === 'failpoint') {
      for (let pass = 1; pass <= 3; pass += 1) {
        failpoint('other');
        failpoint('after-send');
        say(`passed ${pass}`);
      }
    }
  },
});
