import Type from 'typebox';
import { count, duration, size, strict } from './types.js';

// HTTP submission, in the servers of type http and https (queue-and-config 8.4 and 10).

/** A list of keys for X-API-Key. */
export const apiKeys = (description: string) =>
  Type.Optional(
    Type.Array(Type.Unsafe<string | { id: string; sha256: string }>({ apiKey: true, secret: true }), {
      description,
    }),
  );

/** `servers[].apikeys`. */
export const serverApiKeys = apiKeys(
  "Keys that are accepted in X-API-Key; without one nobody may submit. Each is a text, or (recommended) `{id, sha256}` with the key's SHA-256 in hex: scripts and the log see the id.",
);

/** `servers[].submission`. */
export const submission = Type.Optional(
  strict(
    {
      maxoptions: Type.Optional(size('Largest `options` part of a request, unpacked; 1MiB.')),
      timeout: Type.Optional(
        duration('Time in which a request must have arrived whole, however it trickles in; 10m.'),
      ),
      concurrency: Type.Optional(
        strict({
          total: Type.Optional(
            count('Submissions under way at once, answered 503 beyond it; 0 = no limit; 500.'),
          ),
          key: Type.Optional(count('The same for one API key; 0 = no limit; 0.')),
        }),
      ),
      idempotency: Type.Optional(
        strict({
          ttl: Type.Optional(
            duration(
              'How long the answer to an Idempotency-Key is kept, in memory only: a restart forgets it; 1h.',
            ),
          ),
          keys: Type.Optional(
            count('Most answers kept, the oldest goes first; 0 = Idempotency-Key has no effect; 10000.'),
          ),
        }),
      ),
    },
    'HTTP submission; only for servers of type http and https.',
  ),
);
