// Completion: functions, classes, methods and variables by what stands before the cursor, with their one-line help.

import { type Declaration, type Environment, HslArray, HslObject, type NativeClass, type Value } from '#lang';
import { signatureOf } from '../docs/describe.js';
import type { Declared } from './session.js';

export interface Completion {
  /** What replaces the word. */
  readonly text: string;
  /** Signature and summary. */
  readonly help: string;
}

export interface CompletionScope {
  readonly environment: Environment;
  readonly variables: ReadonlyMap<string, Value>;
  /** Functions and classes declared at the prompt. */
  readonly declared: readonly Declared[];
}

const keywords =
  'and array as barrier break builtin cache case class closure constructor continue default echo else false for foreach forever from function global if import include include_once isset match none not or private readonly return static switch throw true try unset while with yield'.split(
    ' ',
  );

function describe(one: Declaration): string {
  return one.kind === 'builtin'
    ? `${signatureOf(one.name, one.params)}  ${one.summary}`
    : `class ${one.name}  ${one.summary}`;
}

function nativeClassOf(value: Value | undefined, environment: Environment): NativeClass | undefined {
  if (!(value instanceof HslObject)) return undefined;
  const declaration = environment.declarations.get(value.classOf.name);
  return declaration?.kind === 'class' ? declaration : undefined;
}

/** What could stand where `line` ends. @returns the word being completed and its completions, best first */
export function complete(
  line: string,
  scope: CompletionScope,
): { readonly word: string; readonly completions: readonly Completion[] } {
  const { environment, variables, declared } = scope;
  const member = /\$(\w+)->(\w*)$/.exec(line);
  if (member !== null) {
    const [, variable, word] = member as unknown as [string, string, string];
    const value = variables.get(variable);
    const methods = Object.values(nativeClassOf(value, environment)?.methods ?? {});
    const ownClass = value instanceof HslObject ? value.classOf.name : undefined;
    const ownMethods = declared.find(({ name }) => name === ownClass)?.methods ?? [];
    const fields =
      value instanceof HslObject
        ? [...(value.fields?.keys() ?? [])]
        : value instanceof HslArray
          ? [...value.keys()].filter((key) => typeof key === 'string')
          : [];
    return {
      word,
      completions: [
        ...methods.map((one) => ({
          text: one.name,
          help: `${signatureOf(one.name, one.params)}  ${one.summary}`,
        })),
        ...ownMethods
          .filter(({ isStatic }) => !isStatic)
          .map(({ name, heading }) => ({ text: name, help: heading })),
        ...fields.map((name) => ({ text: String(name), help: 'a variable of the object' })),
      ].filter(({ text }) => text.startsWith(word)),
    };
  }
  const statics = /\b([A-Za-z_]\w*)::(\w*)$/.exec(line);
  if (statics !== null) {
    const [, owner, word] = statics as unknown as [string, string, string];
    const declaration = environment.declarations.get(owner);
    const members = declaration?.kind === 'class' ? Object.values(declaration.statics) : [];
    const ownMembers = declared.find(({ name }) => name === owner)?.methods ?? [];
    return {
      word,
      completions: [
        ...members.map((one) => ({
          text: one.name,
          help: `${signatureOf(one.name, one.params)}  ${one.summary}`,
        })),
        ...ownMembers
          .filter(({ isStatic }) => isStatic)
          .map(({ name, heading }) => ({ text: name, help: heading })),
      ].filter(({ text }) => text.startsWith(word)),
    };
  }
  const variable = /\$(\w*)$/.exec(line);
  if (variable !== null) {
    const word = variable[1]!;
    return {
      word,
      completions: [...variables.keys()]
        .filter((name) => name.startsWith(word))
        .map((name) => ({ text: name, help: 'a variable' })),
    };
  }
  const word = /[A-Za-z_]\w*$/.exec(line)?.[0] ?? '';
  const candidates: Completion[] = [
    ...declared.map(({ name, heading }) => ({ text: name, help: heading })),
    ...[...environment.declarations.values()].map((one) => ({ text: one.name, help: describe(one) })),
    ...keywords.map((name) => ({ text: name, help: 'a keyword' })),
  ];
  return { word, completions: word === '' ? [] : candidates.filter(({ text }) => text.startsWith(word)) };
}

/** The longest text that all of them begin with. */
export function commonStart(texts: readonly string[]): string {
  return texts.reduce((start, text) => {
    let same = 0;
    while (same < start.length && start[same] === text[same]) same++;
    return start.slice(0, same);
  });
}
