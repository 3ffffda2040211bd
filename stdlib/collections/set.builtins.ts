// The class Set: members of one declared type, by reference.

import { method, nativeClass, staticMethod, type Value } from '#lang';
import { checkType, type KeyType, parseKeyType } from './element-type.js';
import { IteratorState, iteratorClass } from './iterator.builtins.js';

/** What a member counts for beside its text. */
const MEMBER_BYTES = 48;

export class SetState {
  readonly members = new Set<Value>();
  constructor(readonly keyType: KeyType) {}
}

const on = method<SetState>();
const key = { name: 'key', type: 'string|number' } as const;

/** The members as they are now, numbered. */
function* snapshot(self: SetState): Generator<readonly [Value, Value], undefined> {
  for (const [index, member] of [...self.members].entries()) yield [index, member];
  return undefined;
}

export const setClass = nativeClass<SetState>({
  name: 'Set',
  group: 'collections',
  summary: 'A set of members of one type, held by reference.',
  details: '`foreach` gives a running number and the member.',
  example: 'Set("string")->size()  // 0',
  since: '5.5',
  source: 'stdlib 13',
  constructorOf: staticMethod({
    name: 'Set',
    summary: 'Makes an empty set.',
    params: [{ name: 'keytype', type: 'string', doc: 'string or number.' }],
    returns: 'object',
    errors: 'An exception for any other type.',
    run: (keyType: string) => new SetState(parseKeyType('Set', keyType)),
  }),
  methods: [
    on({
      name: 'add',
      summary: 'Adds a member; true when it is new.',
      example: [
        '$set = Set("string");',
        'echo $set->add("a");  // true',
        'echo $set->add("a");  // false',
      ].join('\n'),
      params: [key],
      returns: 'boolean',
      errors: 'An exception when the type is wrong.',
      run: (self, member, ctx) => {
        checkType('Set->add: the member', self.keyType, member);
        if (self.members.has(member)) return false;
        ctx.charge(MEMBER_BYTES + (typeof member === 'string' ? member.length : 0));
        self.members.add(member);
        return true;
      },
    }),
    on({
      name: 'has',
      summary: 'Says whether it is a member.',
      example: [
        '$set = Set("string");',
        '$set->add("a");',
        'echo $set->has("a");  // true',
        'echo $set->has("b");  // false',
      ].join('\n'),
      params: [key],
      returns: 'boolean',
      run: (self, member) => self.members.has(member),
    }),
    on({
      name: 'delete',
      summary: 'Removes a member; true when it was one.',
      example: [
        '$set = Set("string");',
        '$set->add("a");',
        'echo $set->delete("a");  // true',
        'echo $set->delete("a");  // false',
      ].join('\n'),
      params: [key],
      returns: 'boolean',
      run: (self, member) => self.members.delete(member),
    }),
    on({
      name: 'size',
      summary: 'Counts the members.',
      example: [
        '$set = Set("string");',
        '$set->add("a");',
        '$set->add("b");',
        'echo $set->size();  // 2',
      ].join('\n'),
      params: [],
      returns: 'number',
      run: (self) => self.members.size,
    }),
    on({
      name: 'clear',
      summary: 'Removes all members.',
      example: [
        '$set = Set("string");',
        '$set->add("a");',
        '$set->clear();',
        'echo $set->size();  // 0',
      ].join('\n'),
      params: [],
      returns: 'none',
      run: (self) => {
        self.members.clear();
        return null;
      },
    }),
    on({
      name: 'values',
      summary: 'Gives an iterator over the members.',
      example: [
        '$set = Set("string");',
        '$set->add("a");',
        '$set->add("b");',
        'foreach ($set->values() as $member)',
        '	echo $member;',
        '// a',
        '// b',
      ].join('\n'),
      params: [],
      returns: 'object',
      run: (self, ctx) =>
        ctx.instantiate(iteratorClass, new IteratorState(snapshot(self), ([, member]) => member)),
    }),
  ],
  iterate: snapshot,
  holds: (self) => self.members,
});
