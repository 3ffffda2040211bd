// The flow analysis proves that variables need no check. Random scripts are run twice: as they are, with variables in
// registers, and with a function that names all of them in `global`, which moves them to slots that are always checked.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { run } from '../../support/run-script.js';

const name = fc.constantFrom('$x', '$y', '$z');

/** Expressions that may find a variable undeclared, and say so. */
const expression: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: name },
  name.map((x) => `(isset(${x}) ? ${x} : 0)`),
  name.map((x) => `(${x} ?? 5)`),
  fc.tuple(name, fc.nat(3)).map(([x, n]) => `(${x} = ${n})`),
  name.map((x) => `${x}++`),
  fc.tuple(name, name).map(([x, y]) => `(isset(${x}) and ${y} > 0)`),
  fc.tuple(name, name).map(([x, y]) => `(!isset(${x}) or ${y} < 2)`),
  fc.tuple(name, name).map(([x, y]) => `match (c()) { 0 => ${x} = 1, default => ${y} }`),
  fc.constant('c()'),
  fc.nat(2).map(String),
);

const simple: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(name, expression).map(([x, e]) => `${x} = ${e};`) },
  expression.map((e) => `echo ${e};`),
  name.map((x) => `unset(${x});`),
  name.map((x) => `${x} .= "s";`),
  name.map((x) => `${x} ??= 1;`),
  name.map((x) => `${x}[] = 1;`),
  fc.tuple(name, name).map(([x, y]) => `[${x}, ${y} = 2] = [1];`),
  name.map((x) => `echo "<${x}>";`),
  fc.constant('throw "t";'),
  fc.constant('break;'),
  fc.constant('continue;'),
);

const { statement } = fc.letrec<{ statement: string; block: string }>((tie) => ({
  block: fc.array(tie('statement'), { maxLength: 3 }).map((list) => `{ ${list.join(' ')} }`),
  statement: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 5, arbitrary: simple },
    fc.tuple(expression, tie('block')).map(([e, b]) => `if (${e}) ${b}`),
    fc.tuple(expression, tie('block'), tie('block')).map(([e, b, c]) => `if (${e}) ${b} else ${c}`),
    fc.tuple(expression, tie('block')).map(([e, b]) => `for ($i = 0; tick() and ${e}; $i++) ${b}`),
    tie('block').map((b) => `while (tick()) ${b}`),
    tie('block').map((b) => `forever { if (!tick()) break; ${b} }`),
    fc.tuple(name, tie('block')).map(([x, b]) => `foreach ([1, 2] as ${x}) ${b}`),
    fc.tuple(tie('block'), name, tie('block')).map(([b, x, c]) => `try ${b} catch (${x}) ${c}`),
    fc
      .tuple(tie('block'), tie('block'), tie('block'))
      .map(
        ([b, c, d]) =>
          `forever { if (!tick()) break; switch (c()) { case 0: ${b} case 1: ${c} break; default: ${d} } break; }`,
      ),
    fc.tuple(name, tie('block')).map(([x, b]) => `barrier "flow" => ${x} ${b}`),
  ),
}));

const prelude = `
  function c() { global $n; $n = ($n ?? 0) + 1; return $n % 3; }
  function tick() { global $t; $t = ($t ?? 0) + 1; return $t < 20; }
  if (c() == 7) { $x = 0; $y = 0; $z = 0; }
`;
const inSlots = 'function all() { global $x, $y, $z, $i; }';

test('what is proven to be set is set', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(statement, { minLength: 1, maxLength: 5 }), async (statements) => {
      // Around everything a loop, so that break and continue are always in place.
      const body = `${prelude} for ($r = 0; $r < 2; $r++) { ${statements.join('\n')} }`;
      const inRegisters = await run(body);
      expect(inRegisters).toEqual(await run(`${inSlots} ${body}`));
      expect(inRegisters.filter((line) => /internal|undefined|HSL/.test(line))).toEqual([]);
    }),
    { numRuns: 600, seed: 31337 },
  );
}, 60_000);
