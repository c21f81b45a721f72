import { headerText } from '@repo/contracts';
import type { Opened } from '@repo/sealing';

interface Message {
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [name: string, value: Uint8Array])[];
  readonly unopened?: Opened['unopened'];
}

/** What may be shown of a message without showing whom it is about. */
export interface MessageFacts {
  readonly type: string | null;
  /** The event's own id; null where its identity is the person's. */
  readonly id: string | null;
  readonly bytes: number;
  /** Why nothing but its size can be told: it is sealed, and no key at hand opens it. */
  readonly unopened?: string;
}

/** Fields that name an event, the most particular first. */
const IDS = [
  'refund_id',
  'premium_id',
  'claim_id',
  'change_id',
  'credit_id',
  'contribution_id',
  'check_id',
  'binding_id',
] as const;

/** Every id that a message carries: of its event, of the claim it is about, of its envelope. */
export function idsOf(message: Message): ReadonlySet<string> {
  const fields = fieldsOf(message);
  const found = [...IDS.map((name) => fields[name]), headerText(message, 'ce_id')];
  return new Set(found.filter((id) => typeof id === 'string'));
}

export function factsOf(message: Message): MessageFacts {
  const fields = fieldsOf(message);
  const id = IDS.map((name) => fields[name]).find((value) => typeof value === 'string');
  const type = headerText(message, 'ce_type') ?? fields.ce_type;
  return {
    type: typeof type === 'string' ? printable(type) : null,
    id: typeof id === 'string' ? printable(id) : null,
    bytes: message.unopened?.bytes ?? message.value?.length ?? 0,
    ...(message.unopened && { unopened: message.unopened.why }),
  };
}

function fieldsOf({ value }: Message): Readonly<Record<string, unknown>> {
  try {
    const read: unknown = JSON.parse(value?.toString() ?? '');
    return typeof read === 'object' && read !== null ? (read as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const LENGTH_MAX = 100;
/** Names in Han characters, and the 18-character citizen number: hostile or careless senders put them anywhere. */
const PERSONAL = /\p{Script=Han}+|(?<!\d)\d{17}[\dXx](?!\d)/gu;

/** Text of a message as a terminal may show it: no control sequences, no names, no citizen numbers. */
export const printable = (text: string): string =>
  text
    .slice(0, LENGTH_MAX)
    .replace(PERSONAL, '[masked]')
    .replace(/[^\x20-\x7e]/g, '?');

/** The whole of a message, for who asked for it: lines of headers and its value, as text where it is text. */
export function wholeOf({ key, value, headers }: Message & { readonly key: Buffer | null }) {
  return {
    key: textOf(key),
    headers: headers.map(([name, bytes]) => [name, textOf(Buffer.from(bytes))] as const),
    value: textOf(value),
  };
}

/** UTF-8 as text, other bytes as base64 that says so. JSON escapes what a terminal would obey. */
function textOf(bytes: Buffer | null): string | { readonly base64: string } | null {
  if (bytes === null) return null;
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : { base64: bytes.toString('base64') };
}
