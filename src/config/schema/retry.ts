// How often and when is tried again: of transports (smtpd-app.yaml) and of destinations (smtpd-delivery.yaml).

import Type from 'typebox';
import { count, duration, strict } from './types.js';

/** A wait as it is written: a number of seconds or a text such as `15m`, or a map with it. */
export type RetryInterval =
  | number
  | string
  | { readonly interval: number | string; readonly notify?: boolean };

const table = {
  count: Type.Optional(count('Retries after the first attempt; 30.')),
  intervals: Type.Optional(
    Type.Array(
      Type.Unsafe<RetryInterval>({
        retryInterval: true,
        description:
          'Seconds (or `15m`) before this retry, or {interval: 15m, notify: true} to tell the sender when this wait begins.',
      }),
      {
        minItems: 1,
        description: 'Waits, first retry first; the last one repeats. 60, 900, 3600, 7200, 10800.',
      },
    ),
  ),
};

/** Of a destination. */
export const retryTable = strict(table);

/** Of a transport. */
export const retry = strict({
  ...table,
  during: Type.Optional(duration('Maximum age of a message; beyond it a temporary failure is final.')),
});
