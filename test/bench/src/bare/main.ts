import { runBare } from './run.ts';

await runBare('tuned');
