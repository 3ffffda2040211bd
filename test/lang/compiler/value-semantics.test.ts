// Arrays are values: whatever a script does with its variables, a write shows in one place only. Random scripts are run twice,
// once as they are and once with a deep copy around everything that is stored, passed, returned or walked; marking and
// lending (ownership.ts) must make no difference.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { builtin, type Environment, HslArray, type Value } from '#lang';
import { run } from '../../support/run-script.js';
import { catalogEnvironment } from '../../support/script-host.js';

function deepCopy(value: Value): Value {
  if (!(value instanceof HslArray)) return value;
  const copy = HslArray.empty();
  for (const [key, element] of value.entries()) copy.set(key, deepCopy(element));
  return copy;
}

const environment: Environment = {
  ...catalogEnvironment(),
  declarations: new Map([
    ...catalogEnvironment().declarations,
    [
      'deep',
      builtin({
        name: 'deep',
        group: 'arrays',
        summary: 'A copy that shares nothing.',
        params: [{ name: 'value', type: 'any' }],
        returns: 'any',
        run: deepCopy,
      }),
    ],
  ]),
};

type Wrap = (expression: string) => string;
type StatementMaker = (wrap: Wrap) => string;

const variable = fc.constantFrom('$a', '$b', '$c', '$d');
const element = fc.constantFrom('[0]', '["k"]', '[0]["k"]', '[]', '["n"][]');
const readable = fc.constantFrom('[0]', '["k"]', '[0]["k"]');
const number = fc.integer({ min: 0, max: 9 });

const statement: fc.Arbitrary<StatementMaker> = fc.oneof(
  fc.tuple(variable, variable).map(
    ([x, y]): StatementMaker =>
      (w) =>
        `${x} = ${w(y)};`,
  ),
  fc.tuple(variable, number).map(
    ([x, n]): StatementMaker =>
      () =>
        `${x} = [${n}, "k" => [${n}]];`,
  ),
  fc.tuple(variable, element, number).map(
    ([x, p, n]): StatementMaker =>
      () =>
        `${x}${p} = ${n};`,
  ),
  fc.tuple(variable, element, variable).map(
    ([x, p, y]): StatementMaker =>
      (w) =>
        `${x}${p} = ${w(y)};`,
  ),
  fc.tuple(variable, variable, readable).map(
    ([x, y, p]): StatementMaker =>
      (w) =>
        `${x} = ${w(`${y}${p}`)} ?? [];`,
  ),
  fc.tuple(variable, variable).map(
    ([x, y]): StatementMaker =>
      (w) =>
        `${x} = [${w(x)}, "k" => ${w(y)}];`,
  ),
  fc.tuple(variable, variable).map(
    ([x, y]): StatementMaker =>
      (w) =>
        `[${x}, ${y}] = [${w(y)}, ${w(x)}];`,
  ),
  fc.tuple(variable, variable).map(
    ([x, y]): StatementMaker =>
      (w) =>
        `[${x}] = ${w(`[${y}]`)};`,
  ),
  fc.tuple(variable, variable, variable).map(
    ([x, y, z]): StatementMaker =>
      (w) =>
        `${x} = ${y} ? ${w(y)} : ${w(z)};`,
  ),
  fc.tuple(variable, variable).map(
    ([x, y]): StatementMaker =>
      (w) =>
        `${x} = ${w(`writer(${w(y)})`)};`,
  ),
  fc.tuple(variable, variable).map(
    ([x, y]): StatementMaker =>
      (w) =>
        `${x} = ${w(`reader(${w(y)})`)};`,
  ),
  fc.tuple(variable, variable).map(
    ([x, y]): StatementMaker =>
      (w) =>
        `${x} = ${w(`inner(${w(y)})`)};`,
  ),
  fc.tuple(variable, variable).map(
    ([x, y]): StatementMaker =>
      (w) =>
        `${x} = ${w(`passer(${w(y)})`)};`,
  ),
  fc.tuple(variable, variable).map(
    ([x, y]): StatementMaker =>
      (w) =>
        `${x} = ${w(`both(${w(x)}, ${w(y)})`)};`,
  ),
  variable.map(
    (x): StatementMaker =>
      (w) =>
        `try { ${x} = ${w(`failing(${w(x)})`)}; } catch ($e) { ${x}[] = $e; }`,
  ),
  variable.map(
    (x): StatementMaker =>
      (w) =>
        `setGlobal(${w(x)});`,
  ),
  variable.map(
    (x): StatementMaker =>
      (w) =>
        `${x} = ${w('getGlobal()')};`,
  ),
  fc.constant<StatementMaker>(() => 'pushGlobal();'),
  variable.map(
    (x): StatementMaker =>
      (w) =>
        `$o->l = ${w(x)};`,
  ),
  variable.map(
    (x): StatementMaker =>
      (w) =>
        `${x} = ${w('$o->l')};`,
  ),
  fc.constant<StatementMaker>(() => '$o->push();'),
  fc.constant<StatementMaker>(() => '$o->l["k"][] = 4;'),
  fc.constant<StatementMaker>(() => '$capture();'),
  variable.map(
    (x): StatementMaker =>
      (w) =>
        `foreach (${w(x)} as $v) { ${x}["f"] = ${w('$v')}; $v = [${w('$v')}]; $v[] = 1; }`,
  ),
  fc.constant<StatementMaker>(
    (w) => `foreach (${w('$o->l')} as $k => $v) { $o->l["w"] = ${w('$v')}; $v["z"] = 1; }`,
  ),
  variable.map(
    (x): StatementMaker =>
      () =>
        `unset(${x}[0]); unset(${x}["k"]["k"]);`,
  ),
  fc.tuple(variable, variable).map(
    ([x, y]): StatementMaker =>
      (w) =>
        `${x}[0:1] = ${w(y)};`,
  ),
  fc.tuple(variable, variable).map(
    ([x, y]): StatementMaker =>
      (w) =>
        `${x} += ${w(y)};`,
  ),
  fc.tuple(variable, variable).map(
    ([x, y]): StatementMaker =>
      (w) =>
        `${x} = array_map(function ($v) closure ($d) { $d[] = 3; return ${w('$v')}; }, ${w(y)});`,
  ),
  fc.tuple(variable, variable).map(
    ([x, y]): StatementMaker =>
      (w) =>
        `foreach (generate(${w(y)}) as $v) { ${x}["g"] = ${w('$v')}; ${y}[] = 1; if (length(${y}) > 6) break; }`,
  ),
);

// `$d` is captured by the closures and `$g` is global, so that variables of every home take part.
const prelude: StatementMaker = (w) => `
  class Box { $l = [1, "k" => [2]]; function push() { $this->l[] = 5; return ${w('$this->l')}; } }
  function writer($p) { $p[] = 7; $p["k"]["k"] = 8; return ${w('$p')}; }
  function reader($p) { return ${w('$p')}; }
  function inner($p) { return ${w('$p["k"]')} ?? []; }
  function passer($p) { $q = ${w(`writer(${w('$p')})`)}; return [${w('$p')}, ${w('$q')}]; }
  function both($p, $q) { $p[] = 1; return [${w('$p')}, ${w('$q')}]; }
  function failing($p) { $p[] = 6; throw ${w('$p')}; }
  function setGlobal($p) { global $g; $g = ${w('$p')}; }
  function getGlobal() { global $g; return ${w('$g')}; }
  function pushGlobal() { global $g; $g[] = 2; $g["k"][] = 3; }
  function generate($p) { foreach (${w('$p')} as $v) { $p[] = 9; yield ${w('$v')}; } }
  $o = Box(); $g = []; $a = [1]; $b = [[2], "k" => [3]]; $c = []; $d = ["k" => ["k" => 1]];
  $capture = function () closure ($d) { $d["k"][] = 6; };`;

function script(statements: readonly StatementMaker[], wrap: Wrap, isInFunction: boolean): string {
  const shown = 'echo [$a, $b, $c, $d]; echo $o->l;';
  const lines = statements.map((make) => make(wrap)).join('\n');
  if (!isInFunction) return `${prelude(wrap)}\n${lines}\n${shown} echo $g;`;
  const [declarations, start] = prelude(wrap).split(/(?=\$o = Box)/);
  return `${declarations} $g = [];\nfunction test() { ${start}\n${lines}\n${shown} }\ntest(); echo $g;`;
}

const asIs: Wrap = (expression) => expression;
const copied: Wrap = (expression) => `deep(${expression})`;

test.each([false, true])(
  'a write shows in one place only (in a function: %s)',
  async (isInFunction) => {
    await fc.assert(
      fc.asyncProperty(fc.array(statement, { minLength: 1, maxLength: 12 }), async (statements) => {
        // `deep(x) ?? []` is a call, so a missing variable or element is none there as well.
        const plain = await run(script(statements, asIs, isInFunction), {}, environment);
        const deep = await run(script(statements, copied, isInFunction), {}, environment);
        expect(plain).toEqual(deep);
      }),
      { numRuns: 300, seed: 20240607, endOnFailure: false },
    );
  },
  60_000,
);
