// The format operator: a template filled in with the elements of an array (hsl-language 7.2).
//
//   %[arg][[fill]align][width][.precision]type     arg: [n] · fill: 'c · align: < > ^ = · type: s f x c b · %%

import type { HslArray } from './array.js';
import { numberToText, toNumber, toText } from './convert.js';
import { chargeString, type Meter } from './meter.js';
import { ScriptFault } from './script-fault.js';
import type { Value } from './value.js';

const PLACEHOLDER =
  /%(?:(%)|(?:\[([0-9]+)\])?(?:(?:'([\x00-\xff]))?([<>^=]))?([0-9]+)?(?:\.([0-9]+))?([\x00-\xff])?)/g;

/** `template % values`. */
export function formatText(template: string, values: HslArray, meter: Meter): string {
  const list = values.toList();
  let next = 0;
  return template.replace(
    PLACEHOLDER,
    (
      whole,
      percent?: string,
      index?: string,
      fill?: string,
      align?: string,
      width?: string,
      precision?: string,
      type?: string,
    ) => {
      if (percent !== undefined) return '%';
      const position = index === undefined ? next : Number(index);
      next = position + 1;
      const value = list[position];
      if (value === undefined)
        throw new ScriptFault(
          `format "${whole}" wants argument [${position}], but the array has ${list.length} element${list.length === 1 ? '' : 's'}`,
        );
      const text = convert(whole, type, value, precision === undefined ? undefined : Number(precision));
      return pad(text, Number(width ?? 0), fill ?? ' ', align ?? (isNumeric(type) ? '>' : '<'), meter);
    },
  );
}

function isNumeric(type: string | undefined): boolean {
  return type === 'f' || type === 'x' || type === 'b';
}

function convert(
  whole: string,
  type: string | undefined,
  value: Value,
  precision: number | undefined,
): string {
  switch (type) {
    case 's': {
      const text = toText(value);
      return precision === undefined ? text : text.slice(0, precision);
    }
    case 'f':
      return fixed(toNumber(value), precision);
    case 'x':
      return integer(toNumber(value), 16);
    case 'b':
      return integer(toNumber(value), 2);
    case 'c':
      return String.fromCharCode(toNumber(value) & 0xff);
    default:
      throw new ScriptFault(
        `format "${whole}" ${type === undefined ? 'ends without a type' : `has the unknown type "${type}"`}; expected s, f, x, c or b`,
      );
  }
}

function fixed(number: number, precision: number | undefined): string {
  if (precision === undefined || !Number.isFinite(number)) return numberToText(number);
  const decimals = Math.min(precision, 100);
  // toFixed falls back to exponents there; numbers of that size are integers.
  if (Math.abs(number) >= 1e21)
    return BigInt(number).toString() + (decimals > 0 ? `.${'0'.repeat(decimals)}` : '');
  return number.toFixed(decimals);
}

function integer(number: number, base: number): string {
  if (!Number.isFinite(number)) return numberToText(number);
  return BigInt(Math.trunc(number)).toString(base);
}

function pad(text: string, width: number, fill: string, align: string, meter: Meter): string {
  const missing = width - text.length;
  if (missing <= 0) return text;
  chargeString(meter, width);
  switch (align) {
    case '<':
      return text + fill.repeat(missing);
    case '>':
      return fill.repeat(missing) + text;
    case '^': {
      const left = missing >> 1;
      return fill.repeat(left) + text + fill.repeat(missing - left);
    }
    default: {
      const sign = /^[+-]/.test(text) ? 1 : 0;
      return text.slice(0, sign) + fill.repeat(missing) + text.slice(sign);
    }
  }
}
