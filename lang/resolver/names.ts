// What a bare name, `builtin name` and `owner::member` stand for. A script's own declarations come first, then imports (both
// hoisted into the scopes), then the environment's, then the language's own.

import type { NameReference, StaticReference } from '../ast/nodes.js';
import type { Declaration, Environment } from '../declare.js';
import { languageDeclarations } from '../vm/language-declarations.js';
import { didYouMean } from './did-you-mean.js';
import type { NameBinding, ResolvedClass, StaticBinding } from './resolved.js';
import type { Walk } from './walk.js';

/** A declaration of the library or of the language itself. */
export function findDeclaration(environment: Environment, name: string): Declaration | undefined {
  return environment.declarations.get(name) ?? languageDeclarations.get(name);
}

/** What became of a name that is gone says more than what is spelt like it. */
function hintFor(environment: Environment, name: string, candidates: Iterable<string>): string | undefined {
  return environment.formerNames?.get(name) ?? didYouMean(name, candidates);
}

function bindDeclaration(declaration: Declaration): NameBinding {
  return declaration.kind === 'builtin'
    ? { kind: 'builtin', declaration }
    : { kind: 'nativeClass', declaration };
}

/** Looks a bare name up; an unknown one is reported. */
export function resolveName({ resolver, scope, place }: Walk, node: NameReference): NameBinding {
  let binding: NameBinding | undefined = scope.lookup(node.name)?.binding;
  if (binding === undefined) {
    const declaration = findDeclaration(resolver.environment, node.name);
    if (declaration !== undefined) binding = bindDeclaration(declaration);
  }
  if (binding === undefined) {
    const candidates = [
      ...scope.visibleNames(),
      ...resolver.environment.declarations.keys(),
      ...languageDeclarations.keys(),
    ];
    const hint = hintFor(resolver.environment, node.name, candidates);
    resolver.reporter.report('HSL2002', place, node, { name: node.name }, hint);
    binding = { kind: 'unknown' };
  } else if (binding.kind === 'namespace') {
    resolver.reporter.report('HSL2041', place, node, { name: node.name });
    binding = { kind: 'unknown' };
  }
  resolver.names.set(node, binding);
  return binding;
}

/** `builtin name`: the library's, whatever the script declares. */
export function resolveBuiltin(
  { resolver, place }: Walk,
  node: { name: string; span: NameReference['span'] },
): NameBinding {
  const declaration = findDeclaration(resolver.environment, node.name);
  if (declaration !== undefined) return bindDeclaration(declaration);
  const candidates = [...resolver.environment.declarations.keys(), ...languageDeclarations.keys()];
  const hint = hintFor(resolver.environment, node.name, candidates);
  resolver.reporter.report('HSL2027', place, node, { name: node.name }, hint);
  return { kind: 'unknown' };
}

/** Looks `owner::member` up; what it cannot mean is reported. */
export function resolveStatic(walk: Walk, node: StaticReference): StaticBinding {
  const binding = bindStatic(walk, node);
  walk.resolver.statics.set(node, binding);
  return binding;
}

function bindStatic(walk: Walk, node: StaticReference): StaticBinding {
  const { resolver, scope, place } = walk;
  const { reporter } = resolver;
  const owner = node.owner.text;
  if (owner === 'static') {
    if (scope.classOf !== undefined) return bindClassMember(walk, node, scope.classOf);
    reporter.report('HSL2020', place, node.owner, {});
    return { kind: 'unknown' };
  }
  const found = scope.lookup(owner)?.binding ?? nativeOwner(resolver.environment, owner);
  switch (found?.kind) {
    case 'class':
      return bindClassMember(walk, node, found.of);
    case 'nativeClass':
      return bindNativeMember(walk, node, found);
    case 'namespace':
      return bindNamespaceMember(walk, node, found.module);
    case 'unknown':
      return { kind: 'unknown' };
    default: {
      const candidates = [...scope.visibleNames()].filter((name) => {
        const kind = scope.lookup(name)?.binding.kind;
        return kind === 'class' || kind === 'namespace';
      });
      for (const [name, declaration] of resolver.environment.declarations)
        if (declaration.kind === 'class') candidates.push(name);
      reporter.report('HSL2042', place, node.owner, { name: owner }, didYouMean(owner, candidates));
      return { kind: 'unknown' };
    }
  }
}

function nativeOwner(environment: Environment, name: string): NameBinding | undefined {
  const declaration = findDeclaration(environment, name);
  return declaration === undefined ? undefined : bindDeclaration(declaration);
}

function bindClassMember(walk: Walk, node: StaticReference, of: ResolvedClass): StaticBinding {
  const { resolver, scope, place } = walk;
  const { text } = node.member;
  const member = node.isVariable ? `$${text}` : text;
  const field = node.isVariable ? of.fields.get(text) : undefined;
  const method = node.isVariable ? undefined : of.methods.get(text);
  const found = field ?? method;
  if (found === undefined) {
    const members = node.isVariable ? of.fields : of.methods;
    const candidates = [...members.values()]
      .filter((candidate) => candidate.isStatic)
      .map(({ name }) => name);
    resolver.reporter.report(
      'HSL2021',
      place,
      node.member,
      { owner: of.name, what: node.isVariable ? 'static variable' : 'static function', member },
      didYouMean(text, candidates, node.isVariable ? '$' : ''),
    );
    return { kind: 'unknown' };
  }
  if (!found.isStatic) {
    resolver.reporter.report('HSL2022', place, node.member, { owner: of.name, member });
    return { kind: 'unknown' };
  }
  if (found.isPrivate && scope.classOf !== of) {
    resolver.reporter.report('HSL2023', place, node.member, { owner: of.name, member });
    return { kind: 'unknown' };
  }
  if (field !== undefined) return { kind: 'staticField', of, field };
  return { kind: 'staticMethod', of, method: method! };
}

function bindNativeMember(
  { resolver, place }: Walk,
  node: StaticReference,
  found: Extract<NameBinding, { kind: 'nativeClass' }>,
): StaticBinding {
  const { declaration } = found;
  const member = node.member.text;
  if (!node.isVariable && Object.hasOwn(declaration.statics, member))
    return { kind: 'nativeStatic', declaration, member };
  const isMethod = !node.isVariable && Object.hasOwn(declaration.methods, member);
  if (isMethod) {
    resolver.reporter.report('HSL2022', place, node.member, { owner: declaration.name, member });
  } else {
    resolver.reporter.report(
      'HSL2021',
      place,
      node.member,
      {
        owner: declaration.name,
        what: node.isVariable ? 'static variable' : 'static function',
        member: node.isVariable ? `$${member}` : member,
      },
      didYouMean(member, Object.keys(declaration.statics)),
    );
  }
  return { kind: 'unknown' };
}

function bindNamespaceMember(
  { resolver, place }: Walk,
  node: StaticReference,
  moduleIndex: number,
): StaticBinding {
  const from = resolver.moduleScope(moduleIndex);
  const { text } = node.member;
  if (node.isVariable) {
    const variable = resolver.exportedVariable(from, text);
    if (variable !== undefined) {
      variable.isShared = true;
      return { kind: 'variable', variable };
    }
  } else {
    const binding = from.names.get(text)?.binding;
    if (binding !== undefined && binding.kind !== 'namespace') return binding;
  }
  resolver.reporter.report(
    'HSL2043',
    place,
    node.member,
    {
      owner: node.owner.text,
      what: node.isVariable ? 'variable' : 'function or class',
      member: node.isVariable ? `$${text}` : text,
    },
    didYouMean(
      text,
      node.isVariable ? resolver.exportedVariables(from) : [...from.names.keys()],
      node.isVariable ? '$' : '',
    ),
  );
  return { kind: 'unknown' };
}
