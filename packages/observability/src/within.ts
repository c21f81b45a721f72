/** What the work comes to, or `late` where that takes longer than `limitMs`. Rejects as the work does before then. */
export async function within<T>(work: T | Promise<T>, limitMs: number, late: T): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  const timer = setTimeout(() => resolve(late), limitMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
