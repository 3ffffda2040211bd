// The class Map: keys and values of declared types, by reference.

import { add, HslArray, method, nativeClass, share, staticMethod, type Value } from '#lang';
import { checkType, type KeyType, parseKeyType, parseValueType, type ValueType } from './element-type.js';
import { IteratorState, iteratorClass } from './iterator.builtins.js';

/** What an entry counts for beside its key. */
const ENTRY_BYTES = 64;

export class MapState {
  readonly entries = new Map<Value, Value>();
  constructor(
    readonly keyType: KeyType,
    readonly valueType: ValueType,
  ) {}
}

const on = method<MapState>();
const source = 'stdlib 13';
const key = { name: 'key', type: 'string|number' } as const;

/** A key's own size, against the memory limit. */
function keyBytes(of: string | number): number {
  return ENTRY_BYTES + (typeof of === 'string' ? of.length : 0);
}

/** The entries as they are now: changes during a walk do not show. */
function* snapshot(self: MapState): Generator<readonly [Value, Value], undefined> {
  for (const [name, value] of [...self.entries]) yield [name, share(value)];
  return undefined;
}

export const mapClass = nativeClass<MapState>({
  name: 'Map',
  group: 'collections',
  summary: 'A map with keys and values of declared types, held by reference.',
  details:
    'Unlike an array it keeps "1" and 1 apart, and two variables can hold the same one. `foreach` gives key and value.',
  example: 'Map("string", "number")->size()  // 0',
  since: '5.5',
  source,
  constructorOf: staticMethod({
    name: 'Map',
    summary: 'Makes an empty map.',
    params: [
      { name: 'keytype', type: 'string', doc: 'string or number.' },
      { name: 'valuetype', type: 'string', doc: 'string, number, boolean, array, function, object or any.' },
    ],
    returns: 'object',
    errors: 'An exception for any other type.',
    run: (keyType: string, valueType: string) =>
      new MapState(parseKeyType('Map', keyType), parseValueType('Map', valueType)),
  }),
  methods: [
    on({
      name: 'set',
      summary: 'Stores a value; true when the key is new.',
      example: [
        '$map = Map("string", "number");',
        'echo $map->set("a", 1);  // true',
        'echo $map->set("a", 2);  // false',
      ].join('\n'),
      params: [key, { name: 'value', type: 'any' }],
      returns: 'boolean',
      errors: 'An exception when a type is wrong.',
      run: (self, name, value, ctx) => {
        checkType('Map->set: the key', self.keyType, name);
        checkType('Map->set: the value', self.valueType, value);
        const isNew = !self.entries.has(name);
        if (isNew) ctx.charge(keyBytes(name));
        self.entries.set(name, share(value));
        return isNew;
      },
    }),
    on({
      name: 'has',
      summary: 'Says whether there is a value under the key.',
      example: [
        '$map = Map("string", "number");',
        '$map->set("a", 1);',
        'echo $map->has("a");  // true',
        'echo $map->has("b");  // false',
      ].join('\n'),
      params: [key],
      returns: 'boolean',
      run: (self, name) => self.entries.has(name),
    }),
    on({
      name: 'delete',
      summary: 'Removes a key; true when it was there.',
      example: [
        '$map = Map("string", "number");',
        '$map->set("a", 1);',
        'echo $map->delete("a");  // true',
        'echo $map->delete("a");  // false',
      ].join('\n'),
      params: [key],
      returns: 'boolean',
      run: (self, name) => self.entries.delete(name),
    }),
    on({
      name: 'get',
      summary: 'Gives the value under the key.',
      example: [
        '$map = Map("string", "number");',
        '$map->set("a", 1);',
        'echo $map->get("a");  // 1',
        'echo $map->get("b") ?? "nothing";  // nothing',
      ].join('\n'),
      params: [key],
      returns: 'any',
      errors: 'None when there is none.',
      run: (self, name) => share(self.entries.get(name) ?? null),
    }),
    on({
      name: 'merge',
      summary: 'Stores the sum of the present value and another, as `+` makes it; true when the key is new.',
      details:
        'Numbers are added, arrays merged or appended to, texts joined. Without a present value it is `set`.',
      example: [
        '$hits = Map("string", "number");',
        '$hits->merge("192.0.2.1", 1);',
        '$hits->merge("192.0.2.1", 1);',
        'echo $hits->get("192.0.2.1");  // 2',
      ].join('\n'),
      params: [key, { name: 'value', type: 'any' }],
      returns: 'boolean',
      errors: 'An exception when a type is wrong or `+` does not work on the two.',
      run: (self, name, value, ctx) => {
        checkType('Map->merge: the key', self.keyType, name);
        const present = self.entries.get(name);
        const merged = present === undefined ? value : add(present, value, ctx);
        checkType('Map->merge: the value', self.valueType, merged);
        if (present === undefined) ctx.charge(keyBytes(name));
        self.entries.set(name, share(merged));
        return present === undefined;
      },
    }),
    on({
      name: 'size',
      summary: 'Counts the entries.',
      example: ['$map = Map("string", "number");', '$map->set("a", 1);', 'echo $map->size();  // 1'].join(
        '\n',
      ),
      params: [],
      returns: 'number',
      run: (self) => self.entries.size,
    }),
    on({
      name: 'clear',
      summary: 'Removes all entries.',
      example: [
        '$map = Map("string", "number");',
        '$map->set("a", 1);',
        '$map->clear();',
        'echo $map->size();  // 0',
      ].join('\n'),
      params: [],
      returns: 'none',
      run: (self) => {
        self.entries.clear();
        return null;
      },
    }),
    on({
      name: 'entries',
      summary: 'Gives an iterator over the entries.',
      details: 'Its next() gives `[0=>key,1=>value]`; `foreach` gives key and value.',
      example: [
        '$map = Map("string", "number");',
        '$map->set("a", 1);',
        '$map->set("b", 2);',
        'foreach ($map->entries() as $key => $value)',
        '\techo "$key is $value";',
        '// a is 1',
        '// b is 2',
      ].join('\n'),
      params: [],
      returns: 'object',
      run: (self, ctx) =>
        ctx.instantiate(
          iteratorClass,
          new IteratorState(snapshot(self), ([k, v]) => HslArray.fromList([k, v])),
        ),
    }),
  ],
  iterate: snapshot,
  *holds(self) {
    yield* self.entries.keys();
    yield* self.entries.values();
  },
});
