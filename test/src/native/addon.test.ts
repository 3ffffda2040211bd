import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assetPath, loadNative, native } from '../../../src/native/index.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'argonite-native-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the native addon', () => {
  test('is loaded with its patterns and passwords', () => {
    const { patterns, passwords } = native();
    expect(passwords).toMatchObject({ kind: 'available' });
    expect(patterns).toMatchObject({ kind: 'available' });
    if (patterns.kind === 'available') expect(patterns.part.version).toMatch(/^10\.\d+ /);
  });

  test('is loaded once', () => {
    expect(native()).toBe(native());
  });

  test('that is missing says so, and what to do', () => {
    expect(loadNative('/nowhere/argonite.node').patterns).toEqual({
      kind: 'missing',
      problem: 'the native addon is not built (/nowhere/argonite.node is missing): run npm run build',
    });
  });

  test('that cannot be loaded says why', () => {
    const file = path.join(folder, 'broken.node');
    writeFileSync(file, 'no library');
    const { patterns } = loadNative(file);
    expect(patterns.kind).toBe('missing');
    if (patterns.kind === 'missing') expect(patterns.problem).toMatch(/broken\.node cannot be loaded \(.+\)/);
  });

  test('works in a worker thread that ends with patterns alive', async () => {
    const code = `
      const os = require('node:os');
      const holder = { exports: {} };
      process.dlopen(holder, ${JSON.stringify(assetPath('native/build/argonite.node'))}, os.constants.dlopen.RTLD_NOW | os.constants.dlopen.RTLD_GLOBAL);
      const { patterns } = holder.exports;
      const made = patterns.compile('(b+)c', 0, 0, 1000, 1000, 100);
      const result = patterns.exec(made.handle, 'abbc', 0, 0, false);
      require('node:worker_threads').parentPort.postMessage([result, ...made.offsets]);`;
    const worker = new Worker(code, { eval: true });
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    const message = await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    expect(message).toEqual([1, 1, 4, 1, 3]);
    expect(await ended).toBe(0);
  });
});

describe('assetPath', () => {
  test('finds what ships in the source tree', () => {
    expect(assetPath('package.json')).toMatch(/package\.json$/);
    expect(path.isAbsolute(assetPath('stdlib/extras'))).toBe(true);
  });
});
