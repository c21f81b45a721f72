/**
 * Numbers in [0, 1) that look random and follow from the seed alone, the same on every machine. Of the seed its 32 lowest bits count.
 * @see Tommy Ettinger's mulberry32: a state that is counted up, mixed; every one of its 2^32 states comes once
 */
export function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
