import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Place } from './evidence.ts';
import type { Problem } from './problems.ts';

const MAIN = fileURLToPath(new URL('../../../services/cli/src/main.ts', import.meta.url));

const AUDITED_WITHIN_MS = 3_600_000;

/** What the product's own audit command finds, run as an operator would. It adds to the verdict and takes nothing from it. */
export function secondOpinion({ kafka, postgresUrl, prefix }: Place): Promise<Problem[]> {
  const env = {
    ...process.env,
    GONGJI_KAFKA_BROKERS: kafka,
    GONGJI_DATABASE_URL: postgresUrl,
    GONGJI_TOPIC_PREFIX: prefix,
  };
  return new Promise((resolve) => {
    const options = { env, maxBuffer: 1 << 24, timeout: AUDITED_WITHIN_MS };
    execFile(process.execPath, [MAIN, 'audit', '--json'], options, (error, stdout, stderr) => {
      if (error === null) return resolve([]);
      resolve([{ kind: 'altered', what: `gongji audit is not clean: ${`${stdout}${stderr}`.slice(0, 2_000)}` }]);
    });
  });
}
