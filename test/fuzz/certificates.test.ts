import { expect, test } from 'vitest';
import { skipReason } from '../support/peers.js';
import { run } from './certificates.js';

test.skipIf(skipReason('openssl'))(
  'certificates, revocation lists and messages with changed bytes are read or refused, and never trusted',
  { timeout: 60_000 },
  async () => {
    const counts = await run(20, 4711, 1500);
    expect(counts.inputs).toBeGreaterThan(300);
    expect(counts.readable).toBeGreaterThan(counts.inputs / 20);
  },
);
