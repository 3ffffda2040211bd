import Type, { type Static } from 'typebox';
import { count, later, strict, version } from './types.js';

// smtpd-policy.yaml and smtpd-suspend.yaml, as far as their features exist (queue-and-config 3).

export const policySchema = strict({
  version,
  rate: later('rate limits'),
  policies: Type.Optional(
    Type.Array(
      strict({
        fields: Type.Unsafe<['remotemx']>({
          onlyFields: ['remotemx'],
          description: 'The fields that make an entry; only [remotemx] so far.',
        }),
        conditions: later('policy conditions'),
        default: Type.Optional(
          strict({
            concurrency: Type.Optional(count('Deliveries in flight to one entry; 0 = no limit.')),
            rate: later('rate limits'),
            connectinterval: later('connect intervals'),
            tag: later('policy tags'),
            properties: later('policy properties'),
            stop: later('policy conditions'),
            cluster: later('clusters'),
          }),
        ),
      }),
      { description: 'The counters.' },
    ),
  ),
});

export type PolicyFile = Static<typeof policySchema>;

export const suspendSchema = strict({
  version,
  suspends: Type.Optional(Type.Array(Type.Unsafe<never>({ later: 'suspensions' }))),
});
