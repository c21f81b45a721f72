/** The largest amount of the wire, 99999999999999.99 yuan, in fen. */
const FEN_MAX = 9_999_999_999_999_999n;

/** Reads yuan as written on the wire ("36", "36.0", "36.00") into fen; null where it is no amount of at most 2 decimals. */
export function toFen(yuan: string): bigint | null {
  const match = /^(-?)(\d+)(?:\.(\d{1,2}))?$/.exec(yuan);
  if (match === null) return null;
  const fen = BigInt(match[2] ?? '0') * 100n + BigInt((match[3] ?? '').padEnd(2, '0'));
  if (fen > FEN_MAX) return null;
  return match[1] === '-' ? -fen : fen;
}

/** Reads a JSON number of yuan into fen; it may have an exponent, and then is worth what it says (`1.005e2` is 100.50). */
export function numberToFen(yuan: string): bigint | null {
  const match = /^(\d+)(?:\.(\d+))?[eE]([+-]?\d+)$/.exec(yuan);
  if (match === null) return toFen(yuan);
  const [, whole = '', fraction = '', exponent] = match;
  const digits = BigInt(whole + fraction);
  const power = Number(exponent) - fraction.length + 2;
  if (digits === 0n) return 0n;
  if (power > 16 || -power > whole.length + fraction.length) return null;
  const scale = 10n ** BigInt(Math.abs(power));
  if (power < 0 && digits % scale !== 0n) return null;
  const fen = power < 0 ? digits / scale : digits * scale;
  return fen > FEN_MAX ? null : fen;
}

/** Reads yuan that must be well formed, such as a policy's; throws otherwise. */
export function fenOf(yuan: unknown): bigint {
  const fen = toFen(String(yuan));
  if (fen === null) throw new Error('not an amount in yuan with at most 2 decimals');
  return fen;
}

/** Writes fen as the wire's string with exactly 2 decimals; negative zero does not exist. */
export function toYuan(fen: bigint): string {
  const digits = (fen < 0n ? -fen : fen).toString().padStart(3, '0');
  return `${fen < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

export function min(first: bigint, ...others: readonly bigint[]): bigint {
  let least = first;
  for (const next of others) if (next < least) least = next;
  return least;
}

export function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, next) => total + next, 0n);
}
