// Declarations as Markdown, for reading on a terminal: what `:help` shows.

import type { Builtin, Method, NativeClass } from '#lang';
import { heading } from './blocks.js';
import { describeBuiltin, describeClass, describeMethod } from './describe.js';
import { blocksToMarkdown } from './to-markdown.js';

export function builtinToMarkdown(one: Builtin): string {
  return blocksToMarkdown(describeBuiltin(one, 2));
}

export function classToMarkdown(one: NativeClass): string {
  return blocksToMarkdown([heading(2, `class ${one.name}`), ...describeClass(one, 3)]);
}

/** One method; `called` is what stands before its name in a call. */
export function methodToMarkdown(method: Method, called: string): string {
  return blocksToMarkdown(describeMethod(method, called, 3));
}
