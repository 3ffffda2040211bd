// Search filters as text (RFC 4515): values inside them, and what ldapts does not look at before it reads one.

/** A value so that no byte of it means anything in a filter (RFC 4515 §3). */
export function escapeFilterValue(value: string): string {
  return value.replace(/[\x00()*\\]/g, (char) => `\\${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Nobody writes deeper filters, and reading one takes a call per level. */
const DEEPEST_FILTER = 200;

/** Whether every parenthesis has its other half, not too deep: those in values are escaped. */
export function isBalanced(filter: string): boolean {
  let depth = 0;
  for (const [paren] of filter.matchAll(/[()]/g)) {
    depth += paren === '(' ? 1 : -1;
    if (depth < 0 || depth > DEEPEST_FILTER) return false;
  }
  return depth === 0;
}
