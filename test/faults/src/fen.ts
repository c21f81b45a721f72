/** Reads yuan with two decimals as whole fen. Throws on anything else: what is audited must already have its form. */
export function fenOf(text: unknown): bigint {
  const match = typeof text === 'string' ? /^(-?)(\d+)\.(\d\d)$/.exec(text) : null;
  if (match === null) throw new Error(`no amount with two decimals: ${JSON.stringify(text)}`);
  const fen = BigInt(`${match[2]}${match[3]}`);
  return match[1] === '-' ? -fen : fen;
}

export const yuan = (fen: number): string => `${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, '0')}`;

export const sumOf = (amounts: Iterable<bigint>): bigint => {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return total;
};
