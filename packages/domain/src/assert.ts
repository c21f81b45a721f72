/** Thrown when an invariant of the domain does not hold: a defect of this program, never a fault of the input. */
export class InvariantBroken extends Error {
  override readonly name = 'InvariantBroken';
}

/** Stops with `InvariantBroken` unless `condition` holds. The message names the invariant and carries no personal data. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new InvariantBroken(invariant);
}
