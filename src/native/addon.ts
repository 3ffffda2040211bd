// Loads the native addon, once per process and thread, and types what it offers. A part that cannot be had says why;
// nothing fails before somebody needs it.

import { existsSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import { assetPath } from './asset.js';
import { type HostLibrary, hostLibrary } from './host-library.js';
import { type PasswordLibrary, passwordLibrary } from './password-library.js';
import { type PatternLibrary, patternLibrary } from './pattern-library.js';
import { type SocketLibrary, socketLibrary } from './socket-library.js';

/** A part of the addon, or a sentence that says why it is not there and what to do. */
export type Part<T> = { readonly kind: 'available'; readonly part: T } | Missing;

/** Why something native is not there. */
export interface Missing {
  readonly kind: 'missing';
  readonly problem: string;
}

/** What the addon offers, part by part. */
export interface Native {
  readonly patterns: Part<PatternLibrary>;
  readonly passwords: Part<PasswordLibrary>;
  readonly sockets: Part<SocketLibrary>;
  readonly host: Part<HostLibrary>;
}

/** The addon of this installation. */
export function native(): Native {
  loaded ??= loadNative(assetPath('native/build/argonite.node'));
  return loaded;
}

let loaded: Native | undefined;

/** Loads an addon file; `native()` is what everybody but tests wants. */
export function loadNative(file: string): Native {
  if (!existsSync(file))
    return without(`the native addon is not built (${file} is missing): run npm run build`);
  const holder: { exports: unknown } = { exports: {} };
  try {
    // RTLD_GLOBAL: plugins look up the host's functions by name, so they must be in the global scope.
    process.dlopen(holder, file, os.constants.dlopen.RTLD_NOW | os.constants.dlopen.RTLD_GLOBAL);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return without(`the native addon ${file} cannot be loaded (${reason}): run npm run build`);
  }
  const { exports } = holder;
  return {
    patterns: patternsOf(exports, file),
    passwords: passwordsOf(exports, file),
    sockets: socketsOf(exports, file),
    host: hostOf(exports, file),
  };
}

function without(problem: string): Native {
  const missing: Missing = { kind: 'missing', problem };
  return { patterns: missing, passwords: missing, sockets: missing, host: missing };
}

function patternsOf(exports: unknown, file: string): Part<PatternLibrary> {
  const part = memberOf(exports, 'patterns');
  const problem = memberOf(part, 'problem');
  if (typeof problem === 'string')
    return {
      kind: 'missing',
      problem: `the library PCRE2 cannot be used (${problem}): install it (Debian: libpcre2-8-0)`,
    };
  const library = patternLibrary(part);
  if (library === undefined)
    return { kind: 'missing', problem: `the native addon ${file} has no patterns: run npm run build` };
  return { kind: 'available', part: library };
}

function passwordsOf(exports: unknown, file: string): Part<PasswordLibrary> {
  const part = memberOf(exports, 'passwords');
  const problem = memberOf(part, 'problem');
  if (typeof problem === 'string')
    return {
      kind: 'missing',
      problem: `the library of crypt(3) cannot be used (${problem}): install it (Debian: libcrypt1)`,
    };
  const library = passwordLibrary(part);
  if (library === undefined)
    return { kind: 'missing', problem: `the native addon ${file} has no passwords: run npm run build` };
  return { kind: 'available', part: library };
}

function socketsOf(exports: unknown, file: string): Part<SocketLibrary> {
  const library = socketLibrary(memberOf(exports, 'sockets'));
  if (library === undefined)
    return { kind: 'missing', problem: `the native addon ${file} has no sockets: run npm run build` };
  return { kind: 'available', part: library };
}

function hostOf(exports: unknown, file: string): Part<HostLibrary> {
  const library = hostLibrary(memberOf(exports, 'host'));
  if (library === undefined)
    return {
      kind: 'missing',
      problem: `the native addon ${file} has no calls of the host: run npm run build`,
    };
  return { kind: 'available', part: library };
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
