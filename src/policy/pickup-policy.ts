// Decides whether a message may be picked up now. The queue asks at one point only, and in one way: it sorts messages into
// groups that the policies cannot tell apart, asks for a ticket when it wants to start one of a group, and gives it back when the
// attempt has ended. If there is no ticket, it is told the obstacle, and later that the obstacle has made room.
//
// This shape holds for what comes later: a condition chooses another limit inside of `#thresholds`; a rate or a connect interval
// is a second kind of obstacle, whose room comes with time instead of with a ticket; a suspension is an obstacle that is asked
// before the counters. None of them moves the point where the queue asks.

import { Counter, type Obstacle } from './counter.js';
import type { PolicyConfig, PolicyDefinition, PolicyFacts, PolicyField } from './policy-config.js';

/** Messages with the same values in all fields that any policy looks at: they pass or wait together. */
export interface PickupGroup {
  readonly key: string;
  readonly facts: PolicyFacts;
  /** One for each policy, in the order of the file. */
  readonly counters: readonly Counter[];
}

/** Leave for one delivery; it holds a slot of every counter. */
export interface Ticket {
  /** Gives the slots back. The second time does nothing. */
  release(): void;
}

/** What postdelivery is told of a policy that counted an attempt (hooks 13). */
export interface PolicyReport {
  readonly fields: readonly PolicyField[];
}

/** The pickup policies. */
export class PickupPolicy {
  #policies: readonly PolicyDefinition[];
  /** Every field that any policy looks at. */
  #fields: readonly PolicyField[];
  #counters = new Map<string, Counter>();
  #onRoom: (obstacle: Obstacle) => void = () => {};

  constructor(config: PolicyConfig) {
    this.#policies = config.policies;
    this.#fields = fieldsOf(config.policies);
  }

  /** Called with an obstacle that may let somebody pass again. One listener: the queue. */
  onRoom(listener: (obstacle: Obstacle) => void): void {
    this.#onRoom = listener;
  }

  /** The key of the group that a message belongs to. */
  keyOf(facts: PolicyFacts): string {
    return entryKey(this.#fields, facts);
  }

  /** Makes a group; `leave` it when no message is in it any more. */
  group(facts: PolicyFacts): PickupGroup {
    const counters = this.#policies.map((policy) => this.#counterOf(policy, facts));
    for (const counter of counters) counter.groups++;
    return { key: this.keyOf(facts), facts, counters };
  }

  /** The group is given up. */
  leave(group: PickupGroup): void {
    for (const counter of group.counters) {
      counter.groups--;
      this.#dropIfIdle(counter);
    }
  }

  /** Takes a slot of every counter of the group, or of none: then the result is what is in the way. */
  take(group: PickupGroup): Ticket | Obstacle {
    for (const counter of group.counters) if (!counter.hasRoom()) return counter;
    for (const counter of group.counters) counter.take();
    return new CounterTicket(group.counters, (counter) => {
      if (counter.hasRoom()) this.#onRoom(counter);
      this.#dropIfIdle(counter);
    });
  }

  /** What to tell the script about the policies that counted a group's attempt. */
  report(group: PickupGroup): readonly PolicyReport[] {
    return this.#policies.slice(0, group.counters.length).map(({ fields }) => ({ fields }));
  }

  /**
   * New policies. Counters whose fields still exist keep what is in flight. The queue must make its groups anew afterwards;
   * tickets of the old ones stay good. @returns false when they are the old ones: then nothing has to be done
   */
  reconfigure(config: PolicyConfig): boolean {
    if (JSON.stringify(config.policies) === JSON.stringify(this.#policies)) return false;
    this.#policies = config.policies;
    this.#fields = fieldsOf(config.policies);
    const bySet = new Map(config.policies.map((policy) => [fieldSet(policy.fields), policy]));
    for (const counter of this.#counters.values()) {
      const policy = bySet.get(counter.key.slice(0, counter.key.indexOf('\n')));
      counter.limit(policy?.default);
      if (counter.hasRoom()) this.#onRoom(counter);
    }
    return true;
  }

  /** Counters in memory: those with something in flight or waiting. */
  get counterCount(): number {
    return this.#counters.size;
  }

  #counterOf(policy: PolicyDefinition, facts: PolicyFacts): Counter {
    const fields = sorted(policy.fields);
    const key = `${fieldSet(fields)}\n${entryKey(fields, facts)}`;
    let counter = this.#counters.get(key);
    if (counter === undefined) {
      counter = new Counter(key, policy.default);
      this.#counters.set(key, counter);
    }
    return counter;
  }

  #dropIfIdle(counter: Counter): void {
    if (counter.groups === 0 && counter.used === 0) this.#counters.delete(counter.key);
  }
}

/** True when the answer to `take` is a ticket. */
export function isTicket(answer: Ticket | Obstacle): answer is Ticket {
  return 'release' in answer;
}

class CounterTicket implements Ticket {
  #counters: readonly Counter[] | undefined;
  readonly #released: (counter: Counter) => void;

  constructor(counters: readonly Counter[], released: (counter: Counter) => void) {
    this.#counters = counters;
    this.#released = released;
  }

  release(): void {
    const counters = this.#counters;
    this.#counters = undefined;
    if (counters === undefined) return;
    for (const counter of counters) counter.giveBack();
    for (const counter of counters) this.#released(counter);
  }
}

function fieldsOf(policies: readonly PolicyDefinition[]): readonly PolicyField[] {
  return sorted([...new Set(policies.flatMap(({ fields }) => fields))]);
}

function sorted(fields: readonly PolicyField[]): readonly PolicyField[] {
  return [...fields].sort();
}

/** A policy is known by its set of fields, whatever their order. */
function fieldSet(fields: readonly PolicyField[]): string {
  return sorted(fields).join(' ');
}

/** Domain names are compared without case and trailing dot (queue-and-config 2.2). Lengths keep values apart. */
function entryKey(fields: readonly PolicyField[], facts: PolicyFacts): string {
  return fields
    .map((field) => {
      const isDomain = field === 'remotemx' || field === 'recipientdomain';
      const value = isDomain ? facts[field].toLowerCase().replace(/\.$/, '') : facts[field];
      return `${value.length}:${value}`;
    })
    .join(' ');
}
