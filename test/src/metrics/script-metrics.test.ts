import { describe, expect, test } from 'vitest';
import type { MetricSettings } from '../../../src/config/configuration.js';
import { ScriptMetrics, type ScriptMetricsOptions } from '../../../src/metrics/script-metrics.js';

const mails: MetricSettings = {
  name: 'mails',
  type: 'counter',
  help: 'Mails by result.',
  labels: ['result'],
  buckets: undefined,
};
const waiting: MetricSettings = {
  name: 'waiting',
  type: 'gauge',
  help: 'waiting',
  labels: [],
  buckets: undefined,
};
const size: MetricSettings = {
  name: 'size',
  type: 'histogram',
  help: 'size',
  labels: ['server'],
  buckets: [10, 100],
};

function make(options: ScriptMetricsOptions = {}): ScriptMetrics {
  const metrics = new ScriptMetrics(options);
  metrics.configure([mails, waiting, size]);
  return metrics;
}

describe('what a kind can do', () => {
  test('a counter grows and may be set, but never falls below 0', () => {
    const metrics = make();
    expect(metrics.increment('mails', { result: 'ok' }, 2)).toBe(true);
    expect(metrics.increment('mails', { result: 'ok' }, -1)).toBe(false);
    expect(metrics.decrement('mails', { result: 'ok' }, 1)).toBe(false);
    expect(metrics.set('mails', { result: 'ok' }, -1)).toBe(false);
    expect(metrics.get('mails', { result: 'ok' })).toEqual({ value: 2 });
    expect(metrics.set('mails', { result: 'ok' }, 7)).toBe(true);
    expect(metrics.get('mails', { result: 'ok' })).toEqual({ value: 7 });
  });

  test('a gauge goes both ways', () => {
    const metrics = make();
    expect(metrics.increment('waiting', {}, 2)).toBe(true);
    expect(metrics.decrement('waiting', {}, 5)).toBe(true);
    expect(metrics.get('waiting', {})).toEqual({ value: -3 });
  });

  test('a histogram takes observations only', () => {
    const metrics = make();
    expect(metrics.set('size', { server: 'in' }, 5)).toBe(true);
    expect(metrics.set('size', { server: 'in' }, 50)).toBe(true);
    expect(metrics.increment('size', { server: 'in' }, 1)).toBe(false);
    expect(metrics.get('size', { server: 'in' })).toEqual({ count: 2, sum: 55 });
  });

  test('what is no finite number is refused', () => {
    const metrics = make();
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(metrics.set('waiting', {}, value)).toBe(false);
      expect(metrics.increment('waiting', {}, value)).toBe(false);
      expect(metrics.decrement('waiting', {}, value)).toBe(false);
    }
    expect(metrics.get('waiting', {})).toBeUndefined();
  });
});

describe('labels', () => {
  test('must be those of the declaration, all of them', () => {
    const metrics = make();
    expect(metrics.increment('mails', {}, 1)).toBe(false);
    expect(metrics.increment('mails', { result: 'ok', more: 'x' }, 1)).toBe(false);
    expect(metrics.increment('mails', { other: 'ok' }, 1)).toBe(false);
    expect(metrics.increment('unknown', {}, 1)).toBe(false);
    expect(metrics.get('mails', { other: 'ok' })).toBeUndefined();
  });

  test('are bounded in number, which is told once for each metric', () => {
    const told: string[] = [];
    const metrics = make({ mostSeries: 2, onFull: (name, most) => told.push(`${name} ${most}`) });
    expect(['a', 'b', 'c', 'd', 'a'].map((result) => metrics.increment('mails', { result }, 1))).toEqual([
      true,
      true,
      false,
      false,
      true,
    ]);
    expect(told).toEqual(['mails 2']);
  });

  test('are bounded in length', () => {
    expect(make().increment('mails', { result: 'x'.repeat(257) }, 1)).toBe(false);
  });
});

test('all of it is shown as Prometheus reads it, bytes as UTF-8', async () => {
  const metrics = make();
  metrics.increment('mails', { result: 'gr\xc3\xbc"n\n' }, 2);
  metrics.set('waiting', {}, 4);
  metrics.set('size', { server: 'in' }, 50);
  expect((await metrics.expose()).trim().split(/\n+/)).toEqual([
    '# HELP mails Mails by result.',
    '# TYPE mails counter',
    'mails{result="grü\\"n\\n"} 2',
    '# HELP waiting waiting',
    '# TYPE waiting gauge',
    'waiting 4',
    '# HELP size size',
    '# TYPE size histogram',
    'size_bucket{le="10",server="in"} 0',
    'size_bucket{le="100",server="in"} 1',
    'size_bucket{le="+Inf",server="in"} 1',
    'size_sum{server="in"} 50',
    'size_count{server="in"} 1',
  ]);
  // Shown twice, the same.
  expect(await metrics.expose()).toContain('} 2\n');
});

describe('a reload', () => {
  test('keeps the values of metrics that stay, and takes new words about them', async () => {
    const metrics = make();
    metrics.increment('mails', { result: 'ok' }, 2);
    metrics.set('size', { server: 'in' }, 50);
    metrics.configure([{ ...mails, help: 'All mails.' }, size]);
    expect(metrics.get('mails', { result: 'ok' })).toEqual({ value: 2 });
    expect(metrics.get('size', { server: 'in' })).toEqual({ count: 1, sum: 50 });
    const shown = await metrics.expose();
    expect(shown).toContain('# HELP mails All mails.');
    expect(shown).not.toContain('waiting');
    expect(metrics.increment('waiting', {}, 1)).toBe(false);
  });

  test('starts again where kind, labels or buckets change', () => {
    const metrics = make();
    metrics.increment('mails', { result: 'ok' }, 2);
    metrics.set('size', { server: 'in' }, 50);
    metrics.configure([
      { ...mails, type: 'gauge' },
      { ...size, buckets: [1] },
    ]);
    expect(metrics.get('mails', { result: 'ok' })).toBeUndefined();
    expect(metrics.get('size', { server: 'in' })).toBeUndefined();
  });

  test('to no metrics shows nothing', async () => {
    const metrics = make();
    metrics.configure([]);
    expect(await metrics.expose()).toBe('');
  });
});
