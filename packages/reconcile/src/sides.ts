export type DifferenceKind = 'MISSING_HERE' | 'MISSING_THERE' | 'AMOUNT_DIFFERS';
export const DIFFERENCE_KINDS: readonly DifferenceKind[] = ['MISSING_HERE', 'MISSING_THERE', 'AMOUNT_DIFFERS'];

/** A difference in what `Key` names. */
export type DifferenceIn<Key, Column, Value> = Key & {
  readonly kind: DifferenceKind;
  /** Null: all of it, whichever column. */
  readonly column: Column | null;
  /** Null where this side has nothing, or its file does not say. */
  readonly here: Value | null;
  readonly there: Value | null;
};

export interface ComparisonOf<Found> {
  /** How many of what is compared either side names. */
  readonly compared: number;
  readonly differences: readonly Found[];
}

/** What one side says, by the text of its key. */
export type Side<Key, Column extends string, Value> = ReadonlyMap<
  string,
  { readonly key: Key; readonly values: Readonly<Partial<Record<Column, Value>>> }
>;

/** Holds two sides against each other in some columns. By kind, then by key, then in the order of the columns. */
export function differencesOf<Key extends object, Column extends string, Value>(
  ours: Side<Key, Column, Value>,
  theirs: Side<Key, Column, Value>,
  asked: {
    readonly columns: readonly Column[];
    /** The column that is shown of what one side does not have. */
    readonly whole: Column;
    /** What a value is that is not said. */
    readonly nothing: (column: Column) => Value;
  },
): ComparisonOf<DifferenceIn<Key, Column, Value>> {
  const { columns, whole, nothing } = asked;
  const missingHere: [string, DifferenceIn<Key, Column, Value>][] = [];
  const missingThere: typeof missingHere = [];
  const differing: typeof missingHere = [];
  for (const [name, { key, values }] of theirs)
    if (!ours.has(name))
      missingHere.push([
        name,
        { kind: 'MISSING_HERE', ...key, column: null, here: null, there: values[whole] ?? null },
      ]);
  for (const [name, { key, values }] of ours) {
    const other = theirs.get(name)?.values;
    if (other === undefined) {
      missingThere.push([
        name,
        { kind: 'MISSING_THERE', ...key, column: null, here: values[whole] ?? null, there: null },
      ]);
      continue;
    }
    for (const column of columns) {
      const [here, there] = [values[column] ?? nothing(column), other[column] ?? nothing(column)];
      if (here !== there) differing.push([name, { kind: 'AMOUNT_DIFFERS', ...key, column, here, there }]);
    }
  }
  const inOrder = (found: typeof missingHere) =>
    found.sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)).map(([, difference]) => difference);
  return {
    compared: ours.size + missingHere.length,
    differences: [missingHere, missingThere, differing].flatMap(inOrder),
  };
}

/** How many of what was compared are the same on both sides, and how many differ in each way. */
export function countKinds({ compared, differences }: ComparisonOf<DifferenceIn<object, unknown, unknown>>): {
  readonly same: number;
  readonly kinds: readonly { readonly kind: DifferenceKind; readonly count: number }[];
} {
  const keyOf = ({ kind, column, here, there, ...key }: (typeof differences)[number]) => JSON.stringify(key);
  const kinds = DIFFERENCE_KINDS.map((kind) => ({
    kind,
    count: new Set(differences.filter((each) => each.kind === kind).map(keyOf)).size,
  }));
  return { same: compared - kinds.reduce((sum, { count }) => sum + count, 0), kinds };
}
