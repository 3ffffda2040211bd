// What a sink does other than accept: rules as they are written on the command line, and whether they hit.

/** Where a rule may strike. EHLO stands for LHLO too; EOD is the reply to the message. */
export const sinkStates = ['CONNECT', 'EHLO', 'HELO', 'MAIL', 'RCPT', 'DATA', 'EOD'] as const;
export type SinkState = (typeof sinkStates)[number];

/** Refuses in a state. Several for one state take turns. */
export interface ReplyRule {
  readonly state: SinkState;
  /** 400 to 599; 421 closes the connection. */
  readonly code: number;
  /** With the enhanced status, if there is to be one. */
  readonly text: string;
}

/** Waits before the answer in a state. */
export interface DelayRule {
  readonly state: SinkState;
  readonly milliseconds: number;
}

/** All rules of a sink. */
export interface SinkRules {
  readonly replies?: readonly ReplyRule[];
  readonly delays?: readonly DelayRule[];
  /** States in which the connection is closed without an answer. */
  readonly drops?: readonly SinkState[];
  /** The share of transactions that the rules hit, 0 to 1; default 1. Rules before MAIL hit this share of connections. */
  readonly rate?: number;
  /** Which ones they hit: the same seed hits the same ones. */
  readonly seed?: number;
}

/** What to do where an answer is due. Delay first, then drop, then reply. */
export interface SinkMove {
  readonly delayMs: number;
  readonly drops: boolean;
  readonly reply: ReplyRule | undefined;
}

/** A rule that cannot be read, told to the person who wrote it. */
export class SinkRuleError extends Error {}

/** `RCPT 451 4.3.0 try later`. @throws SinkRuleError */
export function parseReplyRule(text: string): ReplyRule {
  const match = /^\s*(\S+)\s+([45]\d\d)(?:\s+(.*\S))?\s*$/.exec(text);
  const state = match?.[1];
  if (match === null || state === undefined) {
    throw new SinkRuleError(
      `expected a state, a code from 400 to 599 and a text, as in "RCPT 451 4.3.0 try later", got "${text}"`,
    );
  }
  return { state: parseSinkState(state), code: Number(match[2]), text: match[3] ?? 'refused by rule' };
}

/** `200ms`, which means before the reply to the message, or `RCPT 200ms`. @throws SinkRuleError */
export function parseDelayRule(text: string): DelayRule {
  const match = /^\s*(?:(\S+)\s+)?(\d+(?:\.\d+)?)(ms|s|m)?\s*$/.exec(text);
  if (match === null) {
    throw new SinkRuleError(
      `expected a time with ms, s or m, perhaps behind a state, as in "200ms" or "RCPT 2s", got "${text}"`,
    );
  }
  const unitMs = { ms: 1, s: 1000, m: 60_000 }[match[3] ?? 's'] ?? 1000;
  return { state: parseSinkState(match[1] ?? 'EOD'), milliseconds: Number(match[2]) * unitMs };
}

/** A state by its name, in any case. @throws SinkRuleError */
export function parseSinkState(text: string): SinkState {
  const state = sinkStates.find((known) => known === text.toUpperCase());
  if (state === undefined) throw new SinkRuleError(`expected one of ${sinkStates.join(', ')}, got "${text}"`);
  return state;
}

/** A share between 0 and 1. @throws SinkRuleError */
export function parseRate(text: string): number {
  const rate = Number(text);
  if (text.trim() === '' || !(rate >= 0 && rate <= 1)) {
    throw new SinkRuleError(`expected a number from 0 to 1, got "${text}"`);
  }
  return rate;
}

/** The rules at work: draws who is hit, and says what happens to those. */
export class SinkPlan {
  readonly #rules: SinkRules;
  readonly #rate: number;
  readonly #turns = new Map<SinkState, number>();
  #random: number;

  constructor(rules: SinkRules = {}) {
    this.#rules = rules;
    this.#rate = rules.rate ?? 1;
    this.#random = (rules.seed ?? 1) >>> 0;
  }

  /** Whether the rules hit the next connection or transaction. */
  draw(): boolean {
    if (this.#rate >= 1) return true;
    return this.#nextRandom() < this.#rate;
  }

  /** What to do in a state, for one that is hit. */
  move(state: SinkState): SinkMove {
    const { replies = [], delays = [], drops = [] } = this.#rules;
    const candidates = replies.filter((rule) => rule.state === state);
    const turn = this.#turns.get(state) ?? 0;
    if (candidates.length > 1) this.#turns.set(state, turn + 1);
    return {
      delayMs: delays.reduce((sum, rule) => sum + (rule.state === state ? rule.milliseconds : 0), 0),
      drops: drops.includes(state),
      reply: candidates[turn % Math.max(1, candidates.length)],
    };
  }

  // mulberry32: small, and the same on every machine.
  #nextRandom(): number {
    this.#random = (this.#random + 0x6d2b79f5) >>> 0;
    let mixed = this.#random;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
