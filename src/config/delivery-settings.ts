// smtpd-delivery.yaml at work (queue-and-config 5): what holds for a destination, over what its transport says.
//
// The first condition that matches wins. Key by key its `then` goes before `default`, and that before the transport: a condition
// about the pool must not take away the TLS that `default` asks for. What Try says goes before all of them (src/delivery).

import type { Transport } from '../delivery/deliverer.js';
import type { ConditionField, ValueTest } from '../policy/field-patterns.js';

/** What the file may say in place of a transport; what is absent is the transport's. */
export interface DestinationSettings {
  readonly tls?: Partial<Pick<Transport['tls'], 'mode' | 'protocols'>>;
  readonly pooling?: Partial<Transport['pooling']>;
  readonly connectTimeoutSeconds?: number;
  /** By SMTP state. */
  readonly timeouts?: Transport['timeouts'];
  readonly retryCount?: number;
  readonly retryIntervals?: Transport['retryIntervals'];
}

/** One condition: all tests must pass. */
export interface DeliveryCondition {
  readonly tests: readonly { readonly field: ConditionField; readonly test: ValueTest }[];
  readonly settings: DestinationSettings;
}

/** What is known of a message and its next hop; the empty text is what is not known. */
export type DestinationFacts = Readonly<Record<ConditionField, string>>;

/** Chooses settings by destination. */
export class DeliverySettings {
  readonly #conditions: readonly DeliveryCondition[];
  /** One transport for each condition, made when first needed: they are compared and kept by who they are. */
  readonly #made = new WeakMap<Transport, Map<DeliveryCondition, Transport>>();

  constructor(conditions: readonly DeliveryCondition[] = []) {
    this.#conditions = conditions;
  }

  /** The transport with the settings of a destination. */
  settingsFor(transport: Transport, facts: DestinationFacts): Transport {
    const matching = this.#conditions.find(({ tests }) =>
      tests.every(({ field, test }) => test(facts[field])),
    );
    return matching === undefined ? transport : this.#with(transport, matching);
  }

  #with(transport: Transport, condition: DeliveryCondition): Transport {
    let made = this.#made.get(transport);
    if (made === undefined) {
      made = new Map();
      this.#made.set(transport, made);
    }
    let changed = made.get(condition);
    if (changed === undefined) {
      changed = { ...withSettings(transport, condition.settings), base: transport };
      made.set(condition, changed);
    }
    return changed;
  }
}

/** A transport with what the file says in its place. */
export function withSettings(transport: Transport, settings: DestinationSettings): Transport {
  const { tls, pooling, timeouts, ...rest } = settings;
  return {
    ...transport,
    ...rest,
    tls: { ...transport.tls, ...tls },
    pooling: { ...transport.pooling, ...pooling },
    timeouts: { ...transport.timeouts, ...timeouts },
  };
}
