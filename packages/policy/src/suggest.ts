/** Letters to insert, remove or change to make one text of the other (Levenshtein), upper and lower case alike. */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [i, a] of [...left.toLowerCase()].entries()) {
    const next = [i + 1];
    for (const [j, b] of [...right.toLowerCase()].entries()) {
      next.push(Math.min((row[j] ?? 0) + (a === b ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** The known name that `name` is most likely meant to be, if any is near: at most a third of its letters differ. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const near = known
    .filter((candidate) => Math.abs(candidate.length - name.length) <= candidate.length / 3)
    .map((candidate) => ({ candidate, cost: distance(name, candidate) }))
    .filter(({ candidate, cost }) => cost <= candidate.length / 3);
  return near.sort((left, right) => left.cost - right.cost)[0]?.candidate;
}
