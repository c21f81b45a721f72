/** Longest word that is compared; a longer one resembles none of our names. */
const LENGTH_MAX = 30;

/** The known name that was probably meant: the nearest one, if at most a third of its letters (but at least one) differ. */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  if (word.length > LENGTH_MAX) return undefined;
  const distances = known.map((name) => ({ name, distance: distanceOf(word.toLowerCase(), name) }));
  return distances
    .filter(({ name, distance }) => distance <= Math.max(1, Math.floor(name.length / 3)))
    .sort((left, right) => left.distance - right.distance)[0]?.name;
}

/** How many letters must be inserted, deleted or changed to turn one word into the other (Levenshtein distance). */
function distanceOf(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, n) => n);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries())
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
    row = next;
  }
  return row[to.length] ?? 0;
}
