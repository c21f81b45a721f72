/** Loaded into a service before anything else (`--import`): no name is resolved while the file `LOST_NAME_SIGN` is there. */
import dns from 'node:dns';
import { existsSync } from 'node:fs';

const sign = String(process.env.LOST_NAME_SIGN);
const lookup = dns.lookup;

dns.lookup = ((name: string, ...rest: unknown[]) => {
  if (!existsSync(sign)) return Reflect.apply(lookup, dns, [name, ...rest]);
  const answer = rest.at(-1) as (error: Error) => void;
  const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), {
    code: 'ENOTFOUND',
    syscall: 'getaddrinfo',
  });
  process.nextTick(answer, error);
}) as typeof dns.lookup;
