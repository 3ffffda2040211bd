import fc from 'fast-check';
import { expect, test } from 'vitest';
import { echoOf } from '../../support/ram-script.js';

// Arrays are values: whatever a script does with one variable, the others keep what they had. The model copies everything
// deeply at once; the VM marks, lends and copies late. Both must print the same after every statement.

type Model = number | Map<number, Model>;

function copyOf(value: Model): Model {
  if (typeof value === 'number') return value;
  return new Map([...value].map(([key, element]) => [key, copyOf(element)]));
}

function textOf(value: Model): string {
  if (typeof value === 'number') return String(value);
  return `[${[...value].map(([key, element]) => `${key}=>${textOf(element)}`).join(',')}]`;
}

function push(target: Map<number, Model>, value: Model): void {
  target.set(Math.max(-1, ...target.keys()) + 1, value);
}

type Variables = Record<'a' | 'b' | 'c' | 'g', Model>;
type Name = keyof Variables;

function arrayIn(variables: Variables, name: Name): Map<number, Model> {
  const value = variables[name];
  if (typeof value !== 'number') return value;
  const made = new Map<number, Model>();
  variables[name] = made;
  return made;
}

function elementOf(container: Map<number, Model>, key: number): Map<number, Model> {
  const value = container.get(key);
  if (value instanceof Map) return value;
  const made = new Map<number, Model>();
  container.set(key, made);
  return made;
}

interface Statement {
  readonly source: (x: Name, y: Name, i: number) => string;
  readonly does: (variables: Variables, x: Name, y: Name, i: number) => void;
}

const statements: readonly Statement[] = [
  {
    source: (x) => `$${x} = [1, [2, 3]];`,
    does: (v, x) => {
      v[x] = new Map<number, Model>([
        [0, 1],
        [
          1,
          new Map([
            [0, 2],
            [1, 3],
          ]),
        ],
      ]);
    },
  },
  {
    source: (x, y) => `$${x} = $${y};`,
    does: (v, x, y) => {
      v[x] = copyOf(v[y]);
    },
  },
  {
    source: (x, y) => `$${x}[] = $${y};`,
    does: (v, x, y) => {
      const value = copyOf(v[y]);
      push(arrayIn(v, x), value);
    },
  },
  {
    source: (x, y, i) => `$${x}[${i}] = $${y};`,
    does: (v, x, y, i) => {
      const value = copyOf(v[y]);
      arrayIn(v, x).set(i, value);
    },
  },
  {
    source: (x, _, i) => `$${x}[${i}][] = 7;`,
    does: (v, x, _, i) => push(elementOf(arrayIn(v, x), i), 7),
  },
  {
    source: (x, _, i) => `$${x}[1][${i}][0] = 8;`,
    does: (v, x, _, i) => {
      elementOf(elementOf(arrayIn(v, x), 1), i).set(0, 8);
    },
  },
  {
    source: (x, y) => `$${x} = writes($${y});`,
    does: (v, x, y) => {
      const value = copyOf(v[y]);
      const array = value instanceof Map ? value : new Map<number, Model>();
      push(array, 9);
      v[x] = array;
    },
  },
  {
    source: (x, y) => `$${x} = writesDeep($${y});`,
    does: (v, x, y) => {
      const value = copyOf(v[y]);
      const array = value instanceof Map ? value : new Map<number, Model>();
      push(elementOf(array, 1), 9);
      v[x] = array;
    },
  },
  {
    source: (x, y) => `$${x} = same($${y});`,
    does: (v, x, y) => {
      v[x] = copyOf(v[y]);
    },
  },
  {
    source: (x, y) => `$${x} = inner($${y});`,
    does: (v, x, y) => {
      const value = v[y];
      const element = value instanceof Map ? value.get(1) : undefined;
      v[x] = element === undefined ? new Map() : copyOf(element);
    },
  },
  {
    source: (x, y) => `$${x} = [$${y}, $${x}, $${y}];`,
    does: (v, x, y) => {
      v[x] = new Map([v[y], v[x], v[y]].map((value, key) => [key, copyOf(value)]));
    },
  },
  {
    source: (x, y) => `[$${x}, $${y}] = [$${y}, $${x}];`,
    does: (v, x, y) => {
      if (x === y) return;
      const kept = v[x];
      v[x] = v[y];
      v[y] = kept;
    },
  },
  {
    source: (x, y) => `foreach (is($${y}) as $e) { $e[] = 4; $${x}[] = $e; }`,
    does: (v, x, y) => {
      const start = copyOf(v[y]);
      for (const element of start instanceof Map ? [...start.values()] : []) {
        const array = element instanceof Map ? element : new Map<number, Model>();
        push(array, 4);
        push(arrayIn(v, x), copyOf(array));
      }
    },
  },
  {
    source: () => 'touchGlobal();',
    does: (v) => push(arrayIn(v, 'g'), 6),
  },
  {
    source: (x) => `$o->p = $${x}; $o->p[] = 5; $${x} = $o->p; $o->p[] = 6;`,
    does: (v, x) => push(arrayIn(v, x), 5),
  },
  {
    source: (x, y, i) => `$f($${y}, ${i}); $${x} = $kept;`,
    does: (v, x, y, i) => {
      const value = copyOf(v[y]);
      const array = value instanceof Map ? value : new Map<number, Model>();
      array.set(i, 3);
      v[x] = array;
    },
  },
  {
    source: (x, y, i) => `$t = $${y}; unset($t[${i}]); $${x} = is($t)[:];`,
    does: (v, x, y, i) => {
      const value = copyOf(v[y]);
      if (value instanceof Map) value.delete(i);
      v[x] = new Map([...(value instanceof Map ? value.values() : [])].map((element, key) => [key, element]));
    },
  },
];

const prelude = `
  function writes($p) { $p[] = 9; return $p; }
  function writesDeep($p) { $p[1][] = 9; return $p; }
  function same($p) { $q = $p; return $q; }
  function inner($p) { return $p[1] ?? []; }
  function is($p) { try { $whole = $p[:]; return $p; } catch ($e) { return []; } }
  function touchGlobal() { global $g; $g[] = 6; }
  class O { $p = []; }
  $o = O();
  $kept = 0;
  $f = function ($p, $i) closure ($kept) { $kept = $p; $kept[$i] = 3; };
  $a = 0; $b = 0; $c = 0; $g = 0;`;

const names = fc.constantFrom<Name>('a', 'b', 'c', 'g');
const step = fc.tuple(fc.constantFrom(...statements), names, names, fc.integer({ min: 0, max: 2 }));

test('a write to one variable is never seen in another', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 9 }), async (steps) => {
      const variables: Variables = { a: 0, b: 0, c: 0, g: 0 };
      let script = prelude;
      const expected: string[] = [];
      for (const [statement, x, y, i] of steps) {
        script += `\n${statement.source(x, y, i)} echo [$a, $b, $c, $g];`;
        statement.does(variables, x, y, i);
        const all = [variables.a, variables.b, variables.c, variables.g];
        expected.push(textOf(new Map(all.map((value, key) => [key, value]))));
      }
      expect(await echoOf(script), script).toEqual(expected);
    }),
    { numRuns: 150 },
  );
});
