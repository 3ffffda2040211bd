import { execFileSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openFilesLimit } from '../../../src/config/open-files.js';
import { hostLibrary } from '../../../src/native/host-library.js';
import { type HostLibrary, native } from '../../../src/native/index.js';
import { scratchFolder } from '../../support/scratch-folder.js';

function host(): HostLibrary {
  const part = native().host;
  if (part.kind === 'missing') throw new Error(part.problem);
  return part.part;
}

const { errno } = constants;

test('sockets are bound, and what cannot be bound is an errno', () => {
  for (const ip of ['', '127.0.0.1', '::1']) {
    const descriptor = host().bindSocket(ip, 0);
    expect(descriptor).toBeGreaterThan(2);
    closeSync(descriptor);
  }
  expect(host().bindSocket('mail.test', 0)).toBe(-errno.EINVAL);
  expect(host().bindSocket('127.0.0.1', 70_000)).toBe(-errno.EINVAL);
  expect(host().bindSocket('192.0.2.1', 0)).toBe(-errno.EADDRNOTAVAIL);
});

test('a path is bound once, and too long a one not at all', () => {
  const file = path.join(scratchFolder(), 's');
  const descriptor = host().bindPath(file);
  expect(descriptor).toBeGreaterThan(2);
  expect(host().bindPath(file)).toBe(-errno.EADDRINUSE);
  closeSync(descriptor);
  expect(host().bindPath('x'.repeat(108))).toBe(-errno.ENAMETOOLONG);
  expect(host().bindPath('')).toBe(-errno.ENAMETOOLONG);
});

test('a datagram to nobody is an errno', () => {
  expect(host().sendDatagram(path.join(scratchFolder(), 's'), 'x')).toBe(-errno.ENOENT);
  expect(host().sendDatagram(`@argonite-nobody-${process.pid}`, 'x')).toBe(-errno.ECONNREFUSED);
});

test('the soft limit of open files is raised up to the hard one, and never lowered', () => {
  const before = openFilesLimit()!;
  expect(host().raiseOpenFiles(10)).toBe(0);
  expect(openFilesLimit()).toBe(before);
  if (before > 1_000_000) return;
  execFileSync('prlimit', ['--pid', `${process.pid}`, `--nofile=${before - 100}:`]);
  expect(openFilesLimit()).toBe(before - 100);
  expect(host().raiseOpenFiles(before)).toBe(0);
  expect(openFilesLimit()).toBe(before);
  expect(host().raiseOpenFiles(0)).toBe(-errno.EINVAL);
});

test('an older build has no such part', () => {
  expect(hostLibrary({ bindSocket: () => 0 })).toBeUndefined();
  expect(hostLibrary(undefined)).toBeUndefined();
});
