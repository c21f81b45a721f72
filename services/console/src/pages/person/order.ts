import type { Binding } from '../../api/types.ts';

const CLOSED = new Set(['REVOKED', 'REJECTED', 'EXPIRED']);

/** In the order relatives are asked: by priority, those without one last; then the earlier bound; what has ended goes to the end. */
export const inOrder = (bindings: readonly Binding[]): Binding[] =>
  bindings.toSorted(
    (one, other) =>
      Number(CLOSED.has(one.state)) - Number(CLOSED.has(other.state)) ||
      (one.priority ?? Number.MAX_SAFE_INTEGER) - (other.priority ?? Number.MAX_SAFE_INTEGER) ||
      Date.parse(one.bound_at) - Date.parse(other.bound_at) ||
      (one.binding_id < other.binding_id ? -1 : 1),
  );

/** The bindings whose priority changes when they are asked in this order, each with its new one. */
export const reordered = (bindings: readonly Binding[]): { readonly bindingId: string; readonly priority: number }[] =>
  bindings.flatMap(({ binding_id: bindingId, priority }, place) =>
    priority === place + 1 ? [] : [{ bindingId, priority: place + 1 }],
  );
