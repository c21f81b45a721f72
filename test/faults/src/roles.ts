import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fullName } from './evidence.ts';
import { javaCommand } from './reader.ts';

const SOURCE = fileURLToPath(new URL('../java/Roles.java', import.meta.url));

/** What a node of a cluster can be, here for the first claims partition and the settlement worker's group. */
export type Role = 'leader' | 'group' | 'transaction' | 'controller';

/** Which node has which role, by number, and how many replicas are `behind`; asked with Kafka's own client. */
export async function readRoles(brokers: string, prefix: string): Promise<Record<Role | 'behind', number>> {
  const claims = fullName(prefix, 'claims');
  const app = `${prefix}-settlement-worker`;
  const [java, flags] = await javaCommand();
  const args = [...flags, SOURCE, brokers, claims, '0', app, `${app}-${claims}-0`];
  const { stdout } = await promisify(execFile)(java, args, { timeout: 120_000 });
  const told = Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split('\t'))
      .map(([what = '', number]) => [what, Number(number)]),
  );
  return told as Record<Role | 'behind', number>;
}
