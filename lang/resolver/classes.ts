// The members of a class: registered with the class itself, so that they can be used before their place in the text.

import type { FunctionCode, Name } from '../ast/nodes.js';
import type { ResolvedClass, ResolvedField, ResolvedFunction, ResolvedMethod } from './resolved.js';
import type { Resolver } from './resolver.js';
import type { FunctionScope, Place } from './scope.js';

/** Fills `fields` and `methods` of the class. @returns its constructor */
export function declareMembers(
  resolver: Resolver,
  of: ResolvedClass,
  fields: Map<string, ResolvedField>,
  methods: Map<string, ResolvedMethod>,
  scope: FunctionScope,
  place: Place,
): ResolvedFunction | undefined {
  const { reporter } = resolver;
  let constructorOf: ResolvedFunction | undefined;
  let statics = 0;

  // A variable and a function of one name are a clash as well (hsl-language 12).
  const isFree = (name: Name): boolean => {
    const taken = fields.has(name.text) ? 'a variable' : methods.has(name.text) ? 'a function' : undefined;
    if (taken === undefined) return true;
    reporter.report('HSL2024', place, name, { owner: of.name, what: taken, name: name.text });
    return false;
  };
  const draft = (kind: 'method' | 'static' | 'constructor', name: string, code: FunctionCode) =>
    resolver.draftFunction(kind, name, code, scope, of, place);

  for (const member of of.node.members) {
    switch (member.kind) {
      case 'ConstructorMember': {
        const fn = draft('constructor', 'constructor', member.code);
        if (constructorOf === undefined) constructorOf = fn;
        else reporter.report('HSL2025', place, member, { owner: of.name });
        break;
      }
      case 'MethodMember': {
        const { name, isPrivate, isStatic } = member;
        const fn = draft(isStatic ? 'static' : 'method', name.text, member.code);
        if (isFree(name)) methods.set(name.text, { name: name.text, node: member, isPrivate, isStatic, fn });
        break;
      }
      case 'FieldMember': {
        const { name, isPrivate, isStatic, isReadonly } = member;
        const initial =
          member.initial === undefined
            ? null
            : (resolver.constant(member.initial, `the value of $${name.text}`, place) ?? null);
        const index = isStatic ? statics++ : fields.size - statics;
        if (isFree(name))
          fields.set(name.text, {
            name: name.text,
            node: member,
            isPrivate,
            isReadonly,
            isStatic,
            initial,
            index,
          });
        break;
      }
    }
  }
  return constructorOf;
}
