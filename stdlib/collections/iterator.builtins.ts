// What Map->entries() and Set->values() return: walked by foreach, or step by step with next(), as generators are.

import { HslArray, method, nativeClass, type Value } from '#lang';

/** Pairs for foreach, and what next() makes of one. */
export class IteratorState {
  constructor(
    readonly pairs: Iterator<readonly [Value, Value]>,
    readonly elementOf: (pair: readonly [Value, Value]) => Value,
  ) {}
}

export const iteratorClass = nativeClass<IteratorState>({
  name: 'Iterator',
  group: 'collections',
  summary: 'Walks through a Map or a Set once.',
  example: [
    '$set = Set("string");',
    '$set->add("a");',
    'foreach ($set->values() as $member) echo $member;  // a',
  ].join('\n'),
  since: '5.5',
  source: 'hsl-language 11',
  methods: [
    method<IteratorState>()({
      name: 'next',
      summary: 'Goes to the next element.',
      details: 'An array with `value` and `done`; at the end `done` is true and `value` none.',
      example: [
        '$set = Set("string");',
        '$set->add("a");',
        '$members = $set->values();',
        'echo $members->next()["value"];  // a',
        'echo $members->next()["done"];  // true',
      ].join('\n'),
      params: [],
      returns: 'array',
      run: (self) => {
        const step = self.pairs.next();
        return HslArray.fromRecord({
          value: step.done ? null : self.elementOf(step.value),
          done: step.done === true,
        });
      },
    }),
  ],
  iterate: (self) => self.pairs,
});
