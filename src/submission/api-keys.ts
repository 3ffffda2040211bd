// Who submits: the key of X-API-Key against those of the configuration.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiKey } from '../config/submission.js';

/**
 * The configured key that the header holds. Hashes are compared, each in constant time and all of them whatever the first
 * ones say, so that the time taken tells nothing of a key.
 */
export function findApiKey(keys: readonly ApiKey[], header: string | undefined): ApiKey | undefined {
  const given = createHash('sha256')
    .update(header ?? '', 'latin1')
    .digest();
  let found: ApiKey | undefined;
  for (const key of keys) if (timingSafeEqual(key.sha256, given)) found = key;
  return header === undefined ? undefined : found;
}
