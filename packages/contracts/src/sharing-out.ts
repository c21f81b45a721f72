import { formatInstant, type SharingEvent } from '@repo/domain';
import type { Outgoing } from './settlements-out.ts';

/** An event of `gongji.sharing.v1`, keyed by the payer. */
export function encodeSharing(event: SharingEvent, traceparent?: string): Outgoing {
  const { binding, at, cause } = event;
  const { bindingId: binding_id, payer, beneficiary } = binding;
  const who = { binding_id, payer, beneficiary };
  const told = (type: string, suffix: string, fields: object): Outgoing => ({
    stamp: {
      type,
      id: `${cause.type}:${cause.id}:${binding_id}:${suffix}`,
      time: formatInstant(at),
      ...(traceparent === undefined ? {} : { traceparent }),
    },
    key: payer,
    payload: { ...who, ...fields },
  });
  switch (event.kind) {
    case 'PAUSED':
    case 'RESUMED': {
      const type = event.kind === 'PAUSED' ? 'sharing.paused' : 'sharing.resumed';
      return told(type, `${event.kind}:${event.reason}`, {
        reason: event.reason,
        pause_reasons: [...binding.holds.keys()].sort(),
        state: binding.state,
        effective_on: event.effectiveOn,
        cause: { ce_type: cause.type, id: cause.id },
      });
    }
    case 'ACTIVATED':
      return told('binding.activated', event.kind, { state: event.state, at: formatInstant(at) });
    case 'REJECTED':
      return told('binding.rejected', event.kind, { state: event.state, at: formatInstant(at) });
    case 'REVOKED':
      return told('binding.revoked', event.kind, { state: event.state, at: formatInstant(at) });
    case 'REFUSED':
      // A refused request created no binding, so there is no state.
      return told('binding.refused', event.kind, { state: null, code: event.code, at: formatInstant(at) });
    default:
      return event satisfies never;
  }
}
