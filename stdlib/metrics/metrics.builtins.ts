// Counters, gauges and histograms that scripts keep (stdlib 12). What there is, the configuration declares.

import { builtin, type CallContext, HslArray, ScriptFault, toText, typeWord, type Value } from '#lang';
import { servicesOf } from '../services.js';
import type { Labels } from './metric-store.js';

const source = 'stdlib 12';
const since = 'later than 5.5';
const errors =
  'None when the configuration declares no such metric, its kind cannot do this, the labels are not the declared ones, or it has as many label values as a metric may have.';

const name = { name: 'name', type: 'string', doc: 'As the configuration declares it.' } as const;
const labels = {
  name: 'labels',
  type: 'array',
  doc: 'Label => text, for every label that the metric was declared with; `[]` for one without.',
} as const;

/** @throws ScriptFault when a label has no name or is no text */
function readLabels(called: string, value: HslArray): Labels {
  const read: Record<string, string> = {};
  for (const [label, text] of value.entries()) {
    if (typeof label !== 'string')
      throw new ScriptFault(`${called}: the labels have the key ${label}; expected label names as keys`);
    if (typeof text !== 'string' && typeof text !== 'number')
      throw new ScriptFault(`${called}: the label "${label}" is ${typeWord(text)}; expected a string`);
    read[label] = toText(text);
  }
  return read;
}

const storeOf = (ctx: CallContext) => servicesOf(ctx).metrics;
/** The library's way to say "on error". */
const trueOrNone = (isDone: boolean): Value => (isDone ? true : null);

export const metricsIncrement = builtin({
  name: 'metrics_increment',
  group: 'metrics',
  summary: 'Adds to a counter or a gauge.',
  params: [
    name,
    labels,
    { name: 'value', type: 'number', default: 1, doc: 'How much; a counter takes 0 or more.' },
  ],
  returns: 'boolean|none',
  errors,
  since,
  example: [
    'metrics_increment("mails", ["result" => "accepted"])  // true',
    'metrics_increment("unknown", [])  // null',
  ].join('\n'),
  source,
  run: (metric, given, value, ctx) =>
    trueOrNone(storeOf(ctx).increment(metric, readLabels('metrics_increment', given), value)),
});

export const metricsDecrement = builtin({
  name: 'metrics_decrement',
  group: 'metrics',
  summary: 'Subtracts from a gauge.',
  params: [name, labels, { name: 'value', type: 'number', default: 1, doc: 'How much.' }],
  returns: 'boolean|none',
  errors,
  since,
  example: [
    'metrics_set("waiting", [], 10);',
    'metrics_decrement("waiting", [], 3);',
    'echo metrics_get("waiting", []);  // ["value"=>7]',
  ].join('\n'),
  source,
  run: (metric, given, value, ctx) =>
    trueOrNone(storeOf(ctx).decrement(metric, readLabels('metrics_decrement', given), value)),
});

export const metricsSet = builtin({
  name: 'metrics_set',
  group: 'metrics',
  summary: 'Sets a gauge or a counter, or adds an observation to a histogram.',
  params: [name, labels, { name: 'value', type: 'number', doc: 'A counter takes 0 or more.' }],
  returns: 'boolean|none',
  errors,
  since,
  example: 'metrics_set("waiting", [], 10)  // true\nmetrics_set("waiting", ["host" => "a"], 10)  // null',
  source,
  run: (metric, given, value, ctx) =>
    trueOrNone(storeOf(ctx).set(metric, readLabels('metrics_set', given), value)),
});

export const metricsGet = builtin({
  name: 'metrics_get',
  group: 'metrics',
  summary: 'Gives what a metric stands at.',
  details: 'An array with `value`; of a histogram with `count` and `sum` of its observations.',
  params: [name, labels],
  returns: 'array|none',
  errors: 'None when there is no such metric, or nothing was counted with these labels yet.',
  since,
  example: [
    'metrics_set("size_bytes", [], 100);',
    'metrics_set("size_bytes", [], 50);',
    'echo metrics_get("size_bytes", []);  // ["count"=>2,"sum"=>150]',
  ].join('\n'),
  source,
  run: (metric, given, ctx) => {
    const reading = storeOf(ctx).get(metric, readLabels('metrics_get', given));
    return reading === undefined ? null : HslArray.fromEntries(Object.entries(reading));
  },
});

export const metrics = [metricsIncrement, metricsDecrement, metricsSet, metricsGet];
