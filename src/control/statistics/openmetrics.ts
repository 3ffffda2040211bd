// Statistics as OpenMetrics text. A name's dots become underscores below our prefix, its variable parts become labels:
// `servers.in.connections.total` is `argonite_servers_connections_total{server="in"}`. The format wants samples of counters to end in
// `_total`: those whose name does not get it.

import { type Family, families } from './families.js';

const PREFIX = 'argonite';

/** What the text is called when it is served. */
export const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** One value with its labels. */
interface Sample {
  readonly values: readonly string[];
  readonly value: number | string;
}

/**
 * The whole text, with its end. `more` stands before the end: metrics of scripts in the text format of Prometheus, which is turned
 * into this one.
 */
export function openMetricsText(tree: object, more = ''): string {
  const lines: string[] = [];
  for (const family of families) {
    const samples = [...samplesOf(tree, family.name.split('.'), [])];
    if (samples.length > 0) lines.push(...linesOf(family, samples));
  }
  const rest = prometheusToOpenMetrics(more);
  return `${lines.join('\n')}\n${rest === '' ? '' : `${rest}\n`}# EOF\n`;
}

function* samplesOf(value: unknown, path: readonly string[], values: readonly string[]): Generator<Sample> {
  const [key, ...rest] = path;
  if (key === undefined) {
    if (typeof value === 'number' || typeof value === 'string') yield { values, value };
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (key !== '*') {
    if (Object.hasOwn(value, key)) yield* samplesOf((value as Record<string, unknown>)[key], rest, values);
    return;
  }
  for (const [name, inner] of Object.entries(value)) yield* samplesOf(inner, rest, [...values, name]);
}

function linesOf({ name, type, help, labels }: Family, samples: readonly Sample[]): string[] {
  const plain = [PREFIX, ...name.split('.').filter((part) => part !== '*')].join('_');
  const family = type === 'counter' ? plain.replace(/_total$/, '') : plain;
  const suffix = type === 'counter' ? '_total' : type === 'info' ? '_info' : '';
  return [
    `# TYPE ${family} ${type}`,
    `# HELP ${family} ${escaped(help)}`,
    ...samples.map(({ values, value }) => {
      const pairs = labels.map((label, index) => `${label}="${escaped(values[index] ?? '')}"`);
      if (type === 'info') pairs.push(`${name.split('.').at(-1)}="${escaped(String(value))}"`);
      const shown = pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
      return `${family}${suffix}${shown} ${type === 'info' ? 1 : value}`;
    }),
  ];
}

/** In values of labels and in help: backslash, quote and line end are escaped, other control characters are left out. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replace(/[\x00-\x1f\x7f]/g, '');
}

/** Metrics as prom-client writes them, in the words of OpenMetrics: counters have `_total` behind their family's name. */
export function prometheusToOpenMetrics(text: string): string {
  const counters = new Map<string, string>();
  for (const [, name = ''] of text.matchAll(/^# TYPE (\S+) counter$/gm))
    counters.set(name, name.replace(/_total$/, ''));
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const comment = /^# (HELP|TYPE) (\S+)( .*)?$/.exec(line);
      if (comment !== null) {
        const [, word, name = '', rest = ''] = comment;
        // prom-client leaves quotes as they are, and OpenMetrics wants them escaped in help as well.
        return `# ${word} ${counters.get(name) ?? name}${word === 'HELP' ? rest.replaceAll('"', '\\"') : rest}`;
      }
      const [name = ''] = /^[^{\s]+/.exec(line) ?? [];
      const family = counters.get(name);
      return family === undefined ? line : `${family}_total${line.slice(name.length)}`;
    })
    .join('\n');
}
