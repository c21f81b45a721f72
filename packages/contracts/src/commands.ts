import { z } from 'zod';
import { claimRefunded } from './claims-in.ts';
import { instant, optional } from './fields.ts';
import { memberSchemas } from './members-in.ts';

const at = optional(instant);
const moved = z.object({ at });
const { binding_id, command_id, at_stated, ...request } = memberSchemas['binding.requested'].shape;
const { priority, daily_limit, authorised_amount, effective_to, premium_registered } =
  memberSchemas['binding.changed'].shape;

/**
 * The body of each command, by the type of the event it becomes. The event's other fields follow from the address and the command's id.
 */
export const COMMAND_BODIES = {
  'binding.requested': z.object({ ...request, bound_at: at }),
  'binding.approved': moved,
  'binding.rejected': moved,
  'binding.revoked': moved,
  'binding.paused': moved,
  'binding.resumed': moved.extend({ reason: memberSchemas['binding.resumed'].shape.reason }),
  'binding.changed': moved.extend({ priority, daily_limit, authorised_amount, effective_to, premium_registered }),
  'claim.refunded': moved.extend({ amount: claimRefunded.shape.amount }),
} as const;
export type CommandType = keyof typeof COMMAND_BODIES;

/** What `Idempotency-Key` may be, without the quotes that the draft of that header puts round it: 1 to 200 ASCII characters, no space at an end. */
export const COMMAND_KEY = /^[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?$/;
