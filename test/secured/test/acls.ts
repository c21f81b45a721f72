import { readFileSync } from 'node:fs';
import { until } from '@repo/testkit';
import {
  type AclEntry,
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  ResourcePatternTypes,
} from 'kafkajs';
import { LOGINS, type Login } from '../src/servers.ts';
import { secured } from './settings.ts';

export const FOLDER: URL = new URL('../../../deploy/kafka/', import.meta.url);

/** A line of the file. */
export interface Acl {
  readonly login: Login;
  readonly resource: string;
  readonly name: string;
  readonly pattern: string;
  readonly operation: string;
}

/** The lines of the file, for topics of this prefix. */
export function readAcls(prefix: string): Acl[] {
  const [head = '', ...lines] = readFileSync(new URL('acls.csv', FOLDER), 'utf8').trim().split('\n');
  const names = head.split(',');
  return lines.map((line) => {
    const cells = line.replaceAll('PREFIX', prefix).split(',');
    const acl = Object.fromEntries(names.map((name, index) => [name, cells[index]])) as unknown as Acl;
    if (!LOGINS.includes(acl.login)) throw new Error(`no test knows the login ${acl.login}`);
    return acl;
  });
}

export const describeAcl = ({ login, operation, resource, name, pattern }: Acl): string =>
  `${login}: ${operation} ${resource} ${name}${pattern === 'prefixed' ? '*' : ''}`;

const kafka = new Kafka({ brokers: [secured.openBrokers], clientId: 'secured-acls', logLevel: 0 });
const RESOURCES = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  'transactional-id': AclResourceTypes.TRANSACTIONAL_ID,
};
const OPERATIONS = {
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
  Create: AclOperationTypes.CREATE,
  Describe: AclOperationTypes.DESCRIBE,
};

const entryOf = ({ login, resource, name, pattern, operation }: Acl): AclEntry => ({
  principal: `User:${login}`,
  host: '*',
  resourceType: RESOURCES[resource as keyof typeof RESOURCES],
  resourceName: name,
  resourcePatternType: pattern === 'prefixed' ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
  operation: OPERATIONS[operation as keyof typeof OPERATIONS],
  permissionType: AclPermissionTypes.ALLOW,
});

/** Gives or takes rights, and waits until the broker acts by it. */
export async function setAcls(acls: readonly Acl[], present: boolean): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const entries = acls.map(entryOf);
    if (present) await admin.createAcls({ acl: entries });
    else await admin.deleteAcls({ filters: entries });
    for (const entry of entries) {
      const isThere = async () =>
        (await admin.describeAcls(entry)).resources.some(({ acls: found }) => found.length > 0);
      await until(async () => (await isThere()) === present, { what: `the rights on ${entry.resourceName}` });
    }
  } finally {
    await admin.disconnect();
  }
}

/** Takes those that name the prefix. The others are the same for every prefix, and another file of tests may be about to need them. */
export const takeAcls = (acls: readonly Acl[], prefix: string): Promise<void> =>
  setAcls(
    acls.filter(({ name }) => name.startsWith(prefix)),
    false,
  );
