import { expect, test } from 'vitest';
import { type CompileHost, compile, execute, type ProgramCache } from '#lang';
import { catalogEnvironment, createCompileHost, createRunHost } from '../support/script-host.js';

const environment = catalogEnvironment();

class RamCache implements ProgramCache {
  readonly entries = new Map<string, Uint8Array>();
  hits = 0;
  writes = 0;
  read(key: string): Uint8Array | undefined {
    const found = this.entries.get(key);
    if (found !== undefined) this.hits++;
    return found;
  }
  write(key: string, bytes: Uint8Array): void {
    this.writes++;
    this.entries.set(key, bytes);
  }
}

function hostWith(cache: ProgramCache, files: Record<string, string> = {}): CompileHost {
  return { ...createCompileHost(files), cache };
}

async function output(script: string, host: CompileHost): Promise<string[]> {
  const { program } = await compile({ name: 'main.hsl', text: script }, environment, host);
  const echoes: string[] = [];
  await execute(program!, { host: createRunHost((text) => echoes.push(text)) }).run();
  return echoes;
}

test('a second compilation comes from the cache', async () => {
  const cache = new RamCache();
  const script = 'include "a.hsl"; import $d from "d.json"; echo f($d); echo "x" =~ #/X/i;';
  const files = { 'a.hsl': 'function f($x) { return $x["k"]; }', 'd.json': '{"k": [1]}' };
  const first = await output(script, hostWith(cache, files));
  const second = await output(script, hostWith(cache, files));
  expect(second).toEqual(first);
  expect(second).toEqual(['[0=>1]', 'true']);
  expect([cache.writes, cache.hits]).toEqual([1, 1]);
});

test('a changed entry, include, module or data file is compiled again', async () => {
  const cache = new RamCache();
  const files = { 'a.hsl': 'echo 1;', 'm.hsl': 'function f() { return 1; }', 'd.json': '1' };
  const script = 'include "a.hsl"; import { f } from "m.hsl"; import $d from "d.json"; echo f(); echo $d;';
  expect(await output(script, hostWith(cache, files))).toEqual(['1', '1', '1']);
  expect(await output(script, hostWith(cache, { ...files, 'a.hsl': 'echo 2;' }))).toEqual(['2', '1', '1']);
  expect(await output(script, hostWith(cache, { ...files, 'm.hsl': 'function f() { return 2; }' }))).toEqual([
    '1',
    '2',
    '1',
  ]);
  expect(await output(script, hostWith(cache, { ...files, 'd.json': '2' }))).toEqual(['1', '1', '2']);
  expect(await output(`${script} echo 3;`, hostWith(cache, files))).toEqual(['1', '1', '1', '3']);
  expect(cache.writes).toBe(5);
});

test('a changed library is another key', async () => {
  const cache = new RamCache();
  const script = 'echo length("a");';
  await output(script, hostWith(cache));
  const declarations = new Map(environment.declarations);
  declarations.delete('str_upper');
  await compile({ name: 'main.hsl', text: script }, { ...environment, declarations }, hostWith(cache));
  expect(cache.entries.size).toBe(2);
});

test('damaged entries are compiled again', async () => {
  const cache = new RamCache();
  const script = 'echo "whole";';
  await output(script, hostWith(cache));
  const [key, bytes] = [...cache.entries][0]!;
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice();
    damaged[at] = damaged[at]! ^ 0x55;
    cache.entries.set(key, damaged);
    expect(await output(script, hostWith(cache))).toEqual(['whole']);
  }
  cache.entries.set(key, new Uint8Array(0));
  expect(await output(script, hostWith(cache))).toEqual(['whole']);
  expect(cache.writes).toBe(bytes.length + 2);
});

test('warnings come from the cache as they came from the compiler', async () => {
  const cache = new RamCache();
  const files = { 'a.hsl': 'function f() { return 1;\n echo 2; }' };
  const entry = { name: 'main.hsl', text: 'include "a.hsl"; f();' };
  const first = await compile(entry, environment, hostWith(cache, files));
  const second = await compile(entry, environment, hostWith(cache, files));
  expect(cache.hits).toBe(1);
  expect(first.diagnostics.map(({ code }) => code)).toEqual(['HSL9002']);
  expect(second.diagnostics).toEqual(first.diagnostics);
});

test('a script with errors is not kept', async () => {
  const cache = new RamCache();
  const { program, diagnostics } = await compile(
    { name: 'main.hsl', text: 'break;' },
    environment,
    hostWith(cache),
  );
  expect(program).toBeUndefined();
  expect(diagnostics).toHaveLength(1);
  expect(cache.writes).toBe(0);
});

test('two files of one text have programs of their own', async () => {
  const cache = new RamCache();
  const text = 'include "./a.hsl";';
  const files = { 'x/a.hsl': 'echo "x";', 'y/a.hsl': 'echo "y";' };
  const run = async (name: string) => {
    const { program } = await compile({ name, text }, environment, hostWith(cache, files));
    const echoes: string[] = [];
    await execute(program!, { host: createRunHost((line) => echoes.push(line)) }).run();
    return echoes;
  };
  expect([await run('x/main.hsl'), await run('y/main.hsl')]).toEqual([['x'], ['y']]);
});
