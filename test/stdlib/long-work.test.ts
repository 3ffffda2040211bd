// Builtins that work through a message of many megabytes leave the event loop its turns, and what they make counts.

import { describe, expect, test } from 'vitest';
import { compile, execute, type Limits } from '#lang';
import { catalogEnvironment, createCompileHost, createRunHost } from '../support/script-host.js';

interface Ran {
  readonly echoed: readonly string[];
  readonly turns: number;
}

/** Runs a script whose clock goes on by a millisecond whenever somebody looks at it. */
async function ran(script: string, limits: Partial<Limits> = {}): Promise<Ran> {
  const { program } = await compile(
    { name: 'main.hsl', text: script },
    catalogEnvironment(),
    createCompileHost(),
  );
  const echoed: string[] = [];
  const host = createRunHost((text) => echoed.push(text));
  let looks = 0;
  let turns = 0;
  const clock = { ...host.clock, now: () => 0, monotonic: () => looks++ / 1000 };
  const nextTurn = (resume: () => void): void => {
    turns++;
    setImmediate(resume);
  };
  const result = await execute(program!, { host: { ...host, clock, nextTurn }, limits }).run();
  if (result.kind === 'failed') echoed.push(result.error.message);
  return { echoed, turns };
}

describe('the event loop turns', () => {
  test.each([
    ['pcre_match_all', 'echo length(pcre_match_all("(a)b", "ab" * 100000)[1]);', '100000'],
    ['pcre_replace', 'echo length(pcre_replace("a", "xy", "ab" * 100000));', '300000'],
    ['json_decode', 'echo length(json_decode("[" . "[1]," * 100000 . "2]"));', '100001'],
    ['json_encode', 'echo length(json_encode([[1]] * 100000));', '400001'],
    ['csv_decode', 'echo length(csv_decode("a,b\\n" * 100000, ["header" => false]));', '100000'],
  ])('while %s works through much', async (_, script, result) => {
    const { echoed, turns } = await ran(script);
    expect(echoed).toEqual([result]);
    expect(turns).toBeGreaterThan(3);
  });

  test('but not within a lock, where nobody may wait', async () => {
    const script =
      'echo memory_fetch("none", function ($key) { return length(json_encode([[1]] * 100000)); });';
    expect(await ran(script)).toEqual({ echoed: ['400001'], turns: 0 });
  });
});

describe('the memory limit holds', () => {
  const memory = 4 * 1024 * 1024;
  const tooMuch = `the script uses more than ${memory} bytes of memory for strings and arrays`;

  test.each([
    ['json_decode', '$r = json_decode("[" . "[]," * 100000 . "2]");'],
    ['csv_decode', '$r = csv_decode("a\\n" * 100000, ["header" => false]);'],
    ['pcre_match_all', '$r = pcre_match_all("(a)(b)", "ab" * 300000);'],
    ['json_encode', '$a = ["x"]; for ($i = 0; $i < 40; $i += 1) $a = [$a, $a]; $r = json_encode($a);'],
  ])('for what %s makes of a short text', async (_, script) => {
    expect((await ran(script, { memory })).echoed).toEqual([tooMuch]);
  });
});
