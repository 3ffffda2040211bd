import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LineWriter } from '../../../src/log/line-writer.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'argonite-log-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function inFile(name: string, use: (writer: LineWriter) => Promise<void> | void): Promise<string> {
  const file = path.join(folder, name);
  const descriptor = openSync(file, 'w');
  await use(new LineWriter(descriptor));
  closeSync(descriptor);
  return readFileSync(file, 'utf8');
}

test('lines come whole and in order, however many there are', async () => {
  const lines = Array.from({ length: 5000 }, (_, n) => `line ${n} å\n`);
  const written = await inFile('many', async (writer) => {
    for (const [n, line] of lines.entries()) {
      writer.write(line);
      if (n % 100 === 0) await new Promise(setImmediate);
    }
    await writer.flush();
  });
  expect(written).toBe(lines.join(''));
});

test('a single line is written a moment later, unasked', async () => {
  const file = path.join(folder, 'one');
  const descriptor = openSync(file, 'w');
  new LineWriter(descriptor).write('alone\n');
  await expect.poll(() => readFileSync(file, 'utf8')).toBe('alone\n');
  closeSync(descriptor);
});

test('what waits is written before flushSync returns', async () => {
  expect(
    await inFile('sync', (writer) => {
      writer.write('a\n');
      writer.flushSync();
    }),
  ).toBe('a\n');
});

test('flush with nothing to write resolves', () => new LineWriter(-1).flush());

test('a descriptor that cannot be written to ends the writing and nothing else', async () => {
  const descriptor = openSync('/dev/full', 'w');
  const writer = new LineWriter(descriptor);
  writer.write('lost\n');
  await writer.flush();
  writer.write('not tried\n');
  await writer.flush();
  writer.flushSync();
  closeSync(descriptor);
});

test('a reader that stops for a while gets everything in the end', async () => {
  // A pipe holds 64 KiB: the writer has to wait for `cat` to be woken.
  const file = path.join(folder, 'piped');
  const reader = spawn('sh', ['-c', 'sleep 0.2; exec cat > "$0"', file], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const { _handle: handle } = reader.stdin as unknown as { readonly _handle: { readonly fd: number } };
  const writer = new LineWriter(handle.fd);
  const line = `${'x'.repeat(99)}\n`;
  for (let n = 0; n < 3000; n++) writer.write(line);
  await writer.flush();
  reader.stdin.end();
  await new Promise((resolve) => reader.once('exit', resolve));
  expect(readFileSync(file, 'utf8')).toBe(line.repeat(3000));
});
