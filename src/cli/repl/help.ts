// What `:help NAME` says: the manual's text of a function, a class or a method, or the source of what was declared here.

import { bytesToText, type Declaration, type Environment } from '#lang';
import { builtinToMarkdown, classToMarkdown, methodToMarkdown } from '../docs/markdown.js';
import type { Declared } from './session.js';

/** Help on `name`, which may be `f`, `Class`, `Class->method`, `Class::method` or a method's name alone. */
export function helpFor(
  name: string,
  environment: Environment,
  declared: readonly Declared[],
): string | undefined {
  const own = declared.find((one) => one.name === name);
  if (own !== undefined) return bytesToText(own.source);
  const declaration = environment.declarations.get(name);
  if (declaration !== undefined)
    return declaration.kind === 'builtin' ? builtinToMarkdown(declaration) : classToMarkdown(declaration);
  const member = /^(?:(\w+)?(?:->|::))?(\w+)$/.exec(name);
  if (member === null) return undefined;
  const [, owner, method] = member as unknown as [string, string | undefined, string];
  const isMeant = (one: { readonly name: string }) => owner === undefined || one.name === owner;
  const answers = [
    ...declared.filter(isMeant).flatMap((one) => ownMethodHelp(one, method)),
    ...[...environment.declarations.values()].filter(isMeant).flatMap((one) => methodHelp(one, method)),
  ];
  return answers.length === 0 ? undefined : answers.join('\n');
}

function ownMethodHelp(declared: Declared, method: string): string[] {
  return declared.methods
    .filter(({ name }) => name === method)
    .map(({ heading, isStatic }) => bytesToText(`${declared.name}${isStatic ? '::' : '->'}${heading}`));
}

function methodHelp(declaration: Declaration, method: string): string[] {
  if (declaration.kind !== 'class') return [];
  const { name, methods, statics } = declaration;
  const named = (one: { readonly name: string }) => one.name === method;
  return [
    ...Object.values(methods)
      .filter(named)
      .map((one) => methodToMarkdown(one, `${name}->`)),
    ...Object.values(statics)
      .filter(named)
      .map((one) => methodToMarkdown(one, `${name}::`)),
  ];
}
