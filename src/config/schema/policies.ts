import Type, { type Static } from 'typebox';
import { retry } from './smtpd-app.js';
import { count, duration, flag, later, strict, version } from './types.js';

// smtpd-policy.yaml, smtpd-suspend.yaml and smtpd-delivery.yaml, as far as their features exist (queue-and-config 3, 5).

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

export const deliverySchema = strict({
  version,
  delivery: Type.Optional(
    strict({
      conditions: later('delivery conditions'),
      default: Type.Optional(
        strict({
          tls: later('outbound TLS'),
          pooling: Type.Optional(
            strict({
              enabled: Type.Optional(flag('Reuse connections; false.')),
              transactions: Type.Optional(
                count('Close a connection after this many messages; no limit when absent.', 1),
              ),
              timeout: Type.Optional(duration('Idle life of a connection; 5s.')),
              evictable: Type.Optional(flag('May be closed to make room in a full pool; true.')),
            }),
          ),
          timeout: Type.Optional(
            strict({
              connect: Type.Optional(duration('TCP connect; 30s.')),
              smtp: Type.Optional(
                Type.Record(
                  Type.String({
                    pattern: '^(BANNER|CONNECT|HELO|EHLO|LHLO|MAIL|RCPT|DATA|EOD|RSET|NOOP|QUIT)$',
                  }),
                  duration('Wait for the reply in this state.'),
                ),
              ),
            }),
          ),
          retry: Type.Optional(retry),
        }),
      ),
    }),
  ),
});

export type DeliveryFile = Static<typeof deliverySchema>;
