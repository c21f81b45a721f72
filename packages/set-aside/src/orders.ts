import { findHeld, findQuarantines, type HeldPlace, isWork, type Quarantine, type RowSource } from '@repo/ledger';
import type { Envelopes } from '@repo/sealing';
import { type ListedMessage, listedMessage, openHeld } from './held.ts';
import { topicOf } from './place.ts';

/** What a dropped message may be told to be; the first where nothing is said. The last tells the hospital, too. */
export const DROP_CODES = ['EVENT_UNREADABLE', 'EVENT_MALFORMED', 'CLAIM_MALFORMED'] as const;
export type DropCode = (typeof DROP_CODES)[number];

const TEXT_LENGTH_MAX = 200;

/** Who ordered and why are kept for ever, so that they name no person. Null where a text may be kept, else what was expected. */
export function textProblem(text: string): string | null {
  if (text.trim() === '' || text.length > TEXT_LENGTH_MAX) return `must be 1 to ${TEXT_LENGTH_MAX} characters`;
  return /\d{15}/.test(text) ? 'must name no person' : null;
}

/** The same of a reason, which must not name whoever's messages are held either. */
export async function reasonProblem(
  source: RowSource,
  reason: string,
  places: readonly HeldPlace[],
): Promise<string | null> {
  const problem = textProblem(reason);
  if (problem !== null) return problem;
  for (const place of places) {
    const [first] = await findHeld(source, place, { limit: 1 });
    const key = first?.key.toString();
    if (key !== undefined && reason.includes(key)) return 'names the person: say it without their number';
  }
  return null;
}

/** What dropping would take. WORK: there is no message to drop; CODE: the code is for claims, and this is none. */
export type Drop =
  | { readonly kind: 'NOTHING' }
  | { readonly kind: 'WORK' }
  | { readonly kind: 'CODE' }
  | { readonly kind: 'MESSAGE'; readonly message: ListedMessage; readonly quarantines: readonly Quarantine[] };

/** Looks whether the message at a place can be dropped by this code. */
export async function planDrop(
  source: RowSource,
  prefix: string,
  { place, code }: { readonly place: HeldPlace; readonly code: DropCode },
  envelopes: Envelopes | null,
): Promise<Drop> {
  if (code === 'CLAIM_MALFORMED' && place.topic !== topicOf(prefix, 'claims')) return { kind: 'CODE' };
  const quarantines = await findQuarantines(source, place);
  const found = await findHeld(source, place, { after: place.offset - 1n, limit: 1 });
  const [message] = openHeld(place, found, envelopes);
  if (message === undefined || message.offset !== place.offset) return { kind: 'NOTHING' };
  if (isWork(message)) return { kind: 'WORK' };
  return { kind: 'MESSAGE', message: listedMessage(prefix, place, message), quarantines };
}
