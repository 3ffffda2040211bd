/** 32-bit FNV-1a of the bytes: spreads well, costs a multiplication per byte, is no cryptography. */
export function fnv1a(bytes: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
