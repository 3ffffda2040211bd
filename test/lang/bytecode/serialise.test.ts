import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { compile, disassemble, execute, type Program } from '#lang';
import { deserialise, type ProgramSources, serialise } from '../../../lang/bytecode/serialise.js';
import { verify } from '../../../lang/bytecode/verify.js';
import { catalogEnvironment, createCompileHost, createRunHost } from '../../support/script-host.js';

const environment = catalogEnvironment();
const host = createCompileHost();
const sources: ProgramSources = {
  environment,
  compilePattern: (source, flags) => host.patterns.compile(source, flags),
  loadData: () => undefined,
};

interface ConformanceCase {
  readonly name: string;
  readonly script: string;
  readonly files?: Record<string, string>;
}

/** Programs of every kind: the conformance cases that need no other files. */
async function samples(): Promise<readonly { name: string; program: Program }[]> {
  const file = new URL('../../conformance/hsl-conformance.yaml', import.meta.url);
  const cases = parse(readFileSync(file, 'utf8')) as ConformanceCase[];
  const found: { name: string; program: Program }[] = [];
  for (const { name, script, files } of cases) {
    if (files !== undefined) continue;
    const { program } = await compile({ name: 'main.hsl', text: script }, environment, host);
    if (program !== undefined) found.push({ name, program });
  }
  return found;
}

const RICH = `
  class Box { private $l = [1, "k" => [2.5, -0, "å"]]; static $n = none; constructor($l = [true]) { $this->l = $l; }
    function push(...$r) { $this->l[] = $r; return $this; } private static function p() { yield 1; yield 2 => 3; } }
  function f($a, $b = "\\xff\\n", ...$c) { global $g; $g = function () closure ($a, $c) { return #/x+/i; }; return [$a, ...$c]; }
  try { foreach ([1, 2] as $k => $v) { barrier "b" => $s { $s = $k; continue; } } } catch ($e) { echo $e; }
  echo pcre_match("a(b)", "ab") . match (1) { 1 => f(1, 2, 3), default => Box()->push(1) };
  $x = ["a" => 1, "b" => 2]; $x["a"] ??= 1; unset($x["b"]); echo $x[0:1] . Map("string", "any") . cache [] f(1);`;

test('a program comes back as it was', async () => {
  for (const { name, program } of await samples()) {
    const back = deserialise(serialise(program), sources);
    expect(back, name).toBeDefined();
    expect(disassemble(back!), name).toBe(disassemble(program));
    expect(serialise(back!), name).toEqual(serialise(program));
  }
});

test('a program that came back runs', async () => {
  const script =
    'function f($n) { return $n < 2 ? 1 : $n * f($n - 1); } echo f(5); echo "abc" =~ #/B/i; echo [1, "k" => 2];';
  const { program } = await compile({ name: 'main.hsl', text: script }, environment, host);
  const back = deserialise(serialise(program!), sources)!;
  const echoes: string[] = [];
  await execute(back, { host: createRunHost((text) => echoes.push(text)) }).run();
  expect(echoes).toEqual(['120', 'true', '[0=>1,"k"=>2]']);
});

test('everything the compiler makes passes the verifier', async () => {
  for (const { name, program } of await samples()) expect(verify(program), name).toBeUndefined();
  const { program, diagnostics } = await compile({ name: 'main.hsl', text: RICH }, environment, host);
  expect(diagnostics).toEqual([]);
  expect(verify(program!)).toBeUndefined();
});

test('damaged bytes give nothing, or a program that the verifier accepts', async () => {
  const { program } = await compile({ name: 'main.hsl', text: RICH }, environment, host);
  const whole = serialise(program!);
  const change = fc.record({ at: fc.nat(whole.length - 1), to: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const bytes = whole.slice();
      for (const { at, to } of changes) bytes[at] = to;
      const read = deserialise(bytes, sources);
      if (read !== undefined) expect(verify(read)).toBeUndefined();
    }),
    { numRuns: 3000, seed: 4711 },
  );
  for (let length = 0; length < whole.length; length += 7)
    expect(deserialise(whole.subarray(0, length), sources)).toBeUndefined();
  expect(deserialise(Uint8Array.from([...whole, 0]), sources)).toBeUndefined();
});

test('random bytes give nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(deserialise(bytes, sources)).toBeUndefined();
    }),
    { numRuns: 1000, seed: 4711 },
  );
});

test('a builtin that is gone makes the bytes useless', async () => {
  const { program } = await compile({ name: 'main.hsl', text: 'echo length("a");' }, environment, host);
  const declarations = new Map(environment.declarations);
  declarations.delete('length');
  const without = { ...sources, environment: { ...environment, declarations } };
  expect(deserialise(serialise(program!), without)).toBeUndefined();
});
