// Rounding to decimal places, halves away from zero.

/**
 * `number` with `decimals` places behind the point, or with that many zeros before it when negative. Works on the
 * decimal text, so that 1.005 rounds to 1.01 as it reads, although its double lies below the half.
 */
export function roundDecimals(number: number, decimals: number): number {
  if (!Number.isFinite(number)) return number;
  const magnitude = shift(Math.round(shift(Math.abs(number), decimals)), -decimals);
  const rounded = number < 0 ? -magnitude : magnitude;
  // What left the range of doubles on the way had no such places.
  return Number.isFinite(rounded) ? rounded + 0 : number;
}

function shift(number: number, places: number): number {
  const [digits, exponent] = String(number).split('e') as [string, string?];
  return Number(`${digits}e${Number(exponent ?? 0) + places}`);
}
