/** Amounts are yuan as text; they are added up as whole fen, never as binary fractions. */
export function fenOf(yuan: string): bigint {
  const [, sign, whole = '0', part = '0'] = /^(-?)(\d+)\.(\d\d)$/.exec(yuan) ?? [];
  const fen = BigInt(whole) * 100n + BigInt(part);
  return sign === '-' ? -fen : fen;
}

export function yuanOf(fen: bigint): string {
  const [sign, size] = fen < 0n ? ['-', -fen] : ['', fen];
  return `${sign}${size / 100n}.${String(size % 100n).padStart(2, '0')}`;
}

export const sumOf = (amounts: readonly string[]): string =>
  yuanOf(amounts.reduce((sum, each) => sum + fenOf(each), 0n));

/** With the thousands apart: `12,345.60`. */
export const grouped = (yuan: string): string => yuan.replace(/\B(?=(\d{3})+(?!\d)(?=.*\.))/g, ',');
