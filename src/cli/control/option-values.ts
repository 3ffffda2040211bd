// Values of options, read.

import { UsageError } from './asking.js';

/** For options that may be given several times. */
export const several = (value: string, all: string[] = []): string[] => [...all, value];

/** A whole number of an option. @throws UsageError */
export function countOf(text: string, option: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new UsageError(`${option}: found ${JSON.stringify(text)}; expected a whole number`);
  return Number(text);
}

/** The id of one message, as an argument. @throws UsageError */
export function messageIdOf(text: string): { readonly transaction: string; readonly queue: number } {
  const match = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):([1-9]\d{0,8})$/i.exec(text);
  if (match === null)
    throw new UsageError(`found ${JSON.stringify(text)}; expected the id of a message, transaction:number`);
  return { transaction: match[1]!, queue: Number(match[2]) };
}
