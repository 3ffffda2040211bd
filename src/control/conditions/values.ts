// The kinds of values that conditions compare (control-api 3): each turns one condition into a test, or says what is wrong with it.

import { bytesToText, PatternError, PatternLimitError, textToBytes } from '#lang';
import { addressToBytes, isInNetwork, parseNetwork } from '#stdlib';
import { sharedPatternEngine } from '../../scripting/host/index.js';
import { ControlError } from '../operation.js';

/** Whether a value fits; undefined is the absence of one. */
export type Test<Value> = (value: Value | undefined) => boolean;

/** A text condition, whatever its kind calls the value. */
export interface TextCondition {
  readonly regex?: boolean;
  readonly not?: boolean;
}

/** Comparing with numbers or dates. */
export interface Comparison<Value> {
  readonly op?: Operator;
  readonly value?: Value;
  readonly from?: Value;
  readonly to?: Value;
  readonly not?: boolean;
}

/** How numbers are compared. */
export type Operator = 'EQ' | 'GT' | 'GE' | 'LT' | 'LE';

/** A pattern on bytes; it must match somewhere. @throws ControlError */
export function patternTest(source: string, at: string, flags = ''): (bytes: string) => boolean {
  let pattern: ReturnType<ReturnType<typeof sharedPatternEngine>['compile']>;
  try {
    pattern = sharedPatternEngine().compile(textToBytes(source), flags);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new ControlError(`${at}: ${bytesToText(error.message)}`);
  }
  return (bytes) => {
    try {
      return pattern.test(bytes);
    } catch (error) {
      if (!(error instanceof PatternLimitError)) throw error;
      throw new ControlError(`${at}: the pattern takes too long; make it simpler`);
    }
  };
}

/** A text, exact or as a pattern. */
export function textTest(value: string, { regex = false }: TextCondition, at: string): Test<string> {
  if (regex) {
    const matches = patternTest(value, at);
    return (found) => matches(found ?? '');
  }
  const wanted = textToBytes(value);
  return (found) => (found ?? '') === wanted;
}

/** A domain: without case and final dot. */
export function domainTest(value: string, { regex = false }: TextCondition, at: string): Test<string> {
  if (regex) {
    const matches = patternTest(value, at, 'i');
    return (found) => matches(found ?? '');
  }
  const wanted = plainDomain(textToBytes(value));
  return (found) => plainDomain(found ?? '') === wanted;
}

function plainDomain(domain: string): string {
  return domain.toLowerCase().replace(/\.$/, '');
}

/** An IP address in a network, or as a pattern on its text. @throws ControlError */
export function networkTest(value: string, { regex = false }: TextCondition, at: string): Test<string> {
  if (regex) return textTest(value, { regex }, at);
  const network = parseNetwork(value);
  if (network === undefined)
    throw new ControlError(
      `${at}: found ${JSON.stringify(value)}; expected an address or a network such as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.1-192.0.2.9`,
    );
  return (found) => {
    const bytes = found === undefined ? undefined : addressToBytes(found);
    return bytes !== undefined && isInNetwork(network, bytes);
  };
}

/** A number, by an operator or in a range. Without a number there is nothing to fit. @throws ControlError */
export function numberTest(condition: Comparison<number>, at: string): Test<number> {
  const { op = 'EQ', value, from, to } = condition;
  if (from !== undefined || to !== undefined) {
    if (value !== undefined) throw new ControlError(`${at}: found a value and a range; expected one of them`);
    const [low, high] = [from ?? Number.NEGATIVE_INFINITY, to ?? Number.POSITIVE_INFINITY];
    if (low > high) throw new ControlError(`${at}: the range from ${low} to ${high} is empty`);
    return (found) => found !== undefined && found >= low && found <= high;
  }
  if (value === undefined) throw new ControlError(`${at}: expected "value", or a range with "from" and "to"`);
  switch (op) {
    case 'EQ':
      return (found) => found === value;
    case 'GT':
      return (found) => found !== undefined && found > value;
    case 'GE':
      return (found) => found !== undefined && found >= value;
    case 'LT':
      return (found) => found !== undefined && found < value;
    case 'LE':
      return (found) => found !== undefined && found <= value;
    default:
      return assertNever(op);
  }
}

/** A date, as Unix seconds; a date without a time is the whole day. @throws ControlError */
export function dateTest({ op, value, from, to }: Comparison<string>, at: string): Test<number> {
  const read = (text: string): DateSpan => dateSpan(text, at);
  if (from !== undefined || to !== undefined) {
    if (value !== undefined) throw new ControlError(`${at}: found a value and a range; expected one of them`);
    return numberTest(
      {
        ...(from === undefined ? {} : { from: read(from).first }),
        ...(to === undefined ? {} : { to: read(to).last }),
      },
      at,
    );
  }
  if (value === undefined) throw new ControlError(`${at}: expected "value", or a range with "from" and "to"`);
  const { first, last } = read(value);
  switch (op ?? 'EQ') {
    case 'EQ':
      return numberTest({ from: first, to: last }, at);
    case 'GT':
      return numberTest({ op: 'GT', value: last }, at);
    case 'GE':
      return numberTest({ op: 'GE', value: first }, at);
    case 'LT':
      return numberTest({ op: 'LT', value: first }, at);
    default:
      return numberTest({ op: 'LE', value: last }, at);
  }
}

/** A date is as exact as it is written. */
interface DateSpan {
  readonly first: number;
  readonly last: number;
}

const isoForm = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(\.\d{1,9})?)?)?(Z|[+-]\d{2}:?\d{2})?$/;

function dateSpan(text: string, at: string): DateSpan {
  const match = isoForm.exec(text);
  const [, day, minute, second, fraction = '', zone = 'Z'] = match ?? [];
  const time = `${minute ?? '00:00'}:${second ?? '00'}${fraction.slice(0, 4)}`;
  const zoned = zone === 'Z' || zone.includes(':') ? zone : `${zone.slice(0, 3)}:${zone.slice(3)}`;
  const first = Date.parse(`${day}T${time}${zoned}`) / 1000;
  if (match === null || Number.isNaN(first))
    throw new ControlError(
      `${at}: found ${JSON.stringify(text)}; expected a date in ISO 8601 such as 2026-11-22 or 2026-11-22T10:00:00Z`,
    );
  const length = minute === undefined ? 86_400 : second === undefined ? 60 : fraction === '' ? 1 : 0;
  return { first, last: length === 0 ? first : first + length - 0.001 };
}

/** Unix seconds of a date, its beginning when it is a whole day. @throws ControlError */
export function dateToUnix(text: string, at: string): number {
  return dateSpan(text, at).first;
}

function assertNever(value: never): never {
  throw new Error(`unknown ${JSON.stringify(value)}`);
}
