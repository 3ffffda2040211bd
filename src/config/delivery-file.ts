// From smtpd-delivery.yaml to DeliverySettings: conditions compiled, units converted, every problem at its place.

import { ScriptFault } from '#lang';
import { parseTlsProtocols } from '#stdlib';
import type { Transport } from '../delivery/deliverer.js';
import { conditionFields, type PatternReading, readFieldValues } from '../policy/field-patterns.js';
import { type DeliveryCondition, DeliverySettings, type DestinationSettings } from './delivery-settings.js';
import type { ConfigDocument } from './document.js';
import type { ConfigProblem } from './problem.js';
import type { DeliveryFile, DeliveryFileSettings } from './schema/delivery.js';
import type { RetryInterval } from './schema/retry.js';
import { parseDuration } from './units.js';

type Path = readonly (string | number)[];

/** The conditions of the file, with what is wrong in them put on the list. */
export function collectDelivery(
  file: ConfigDocument<DeliveryFile> | undefined,
  reading: PatternReading,
  problems: ConfigProblem[],
): DeliverySettings {
  const { conditions = [], default: byDefault } = file?.value.delivery ?? {};
  if (byDefault !== undefined) checkSettings(file!, byDefault, ['delivery', 'default'], problems);
  return new DeliverySettings(
    conditions.map(({ if: when = {}, then }, index): DeliveryCondition => {
      const at = ['delivery', 'conditions', index];
      checkSettings(file!, then, [...at, 'then'], problems);
      const tests = conditionFields.flatMap((field) => {
        const written = when[field];
        if (written === undefined) return [];
        const test = readFieldValues(field, written, reading);
        if (typeof test === 'function') return [{ field, test }];
        problems.push(file!.problemAt([...at, 'if', field], test.problem));
        return [];
      });
      return { tests, settings: destinationSettings(then) };
    }),
  );
}

/** What the file says, as the daemon has it; what it does not say is absent. */
export function destinationSettings({
  tls,
  pooling,
  timeout,
  retry,
}: DeliveryFileSettings): DestinationSettings {
  const idleSeconds = parseDuration(pooling?.timeout);
  const connectTimeoutSeconds = parseDuration(timeout?.connect);
  return {
    ...(tls && {
      tls: {
        ...(tls.mode !== undefined && { mode: tls.mode }),
        ...(tls.protocols !== undefined && { protocols: tls.protocols }),
      },
    }),
    ...(pooling && {
      pooling: {
        ...(pooling.enabled !== undefined && { enabled: pooling.enabled }),
        ...(pooling.transactions !== undefined && { transactions: pooling.transactions }),
        ...(pooling.evictable !== undefined && { isEvictable: pooling.evictable }),
        ...(idleSeconds !== undefined && { idleSeconds }),
      },
    }),
    ...(connectTimeoutSeconds !== undefined && { connectTimeoutSeconds }),
    ...(timeout?.smtp && { timeouts: timeoutsByState(timeout.smtp) }),
    ...(retry?.count !== undefined && { retryCount: retry.count }),
    ...(retry?.intervals !== undefined && { retryIntervals: retryIntervals(retry.intervals) }),
  };
}

/** The waits of a retry table, as written: seconds, or seconds and whether the sender is told. */
export function retryIntervals(written: readonly RetryInterval[]): Transport['retryIntervals'] {
  return written.map((item) =>
    typeof item === 'object'
      ? { seconds: parseDuration(item.interval) ?? 0, notify: item.notify ?? false }
      : { seconds: parseDuration(item) ?? 0, notify: false },
  );
}

function timeoutsByState(
  written: Readonly<Record<string, number | string>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(written).map(([state, value]) => [
      // The older name of the state (hooks 14).
      state === 'CONNECT' ? 'BANNER' : state,
      parseDuration(value) ?? 0,
    ]),
  );
}

function checkSettings(
  file: ConfigDocument<DeliveryFile>,
  { tls }: DeliveryFileSettings,
  at: Path,
  problems: ConfigProblem[],
): void {
  if (tls?.protocols === undefined) return;
  try {
    parseTlsProtocols(tls.protocols, 'tls.protocols');
  } catch (error) {
    if (!(error instanceof ScriptFault)) throw error;
    problems.push(file.problemAt([...at, 'tls', 'protocols'], error.message));
  }
}
