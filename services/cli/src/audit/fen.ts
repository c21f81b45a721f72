const YUAN = /^(-?)(\d{1,16})\.(\d\d)$/;

/** Yuan as published and stored (text with exactly two decimals), in fen; null when the value is anything else. */
export function fen(value: unknown): bigint | null {
  const match = typeof value === 'string' ? YUAN.exec(value) : null;
  return match === null ? null : BigInt(`${match[1]}${match[2]}${match[3]}`);
}

/** The sum, or null where a part is no amount. */
export function total(parts: readonly (bigint | null)[]): bigint | null {
  let sum = 0n;
  for (const part of parts) {
    if (part === null) return null;
    sum += part;
  }
  return sum;
}
