import { describe, expect, test } from 'vitest';
import { builtin, type Declaration, type Environment } from '../../../lang/declare.js';
import { renderLine } from '../../../lang/diagnostics/render.js';
import { type CompiledPattern, type CompileHost, PatternError } from '../../../lang/host.js';
import { lint } from '../../../lang/linter/index.js';

// --- A small library and a host of files in memory -----------------------------------------------------------------

const declarations: readonly Declaration[] = [
  builtin({
    name: 'length',
    group: 'types',
    summary: 'How long.',
    params: [{ name: 'value', type: 'string|array' }],
    returns: 'number',
    run: () => 0,
  }),
  builtin({
    name: 'strlen',
    group: 'types',
    summary: 'Older name.',
    params: [{ name: 'value', type: 'string' }],
    returns: 'number',
    deprecated: 'length',
    run: () => 0,
  }),
  builtin({
    name: 'match_all',
    group: 'patterns',
    summary: 'Matches.',
    params: [
      { name: 'pattern', type: 'pattern' },
      { name: 'rest', type: 'number', rest: true },
    ],
    returns: 'boolean',
    run: () => true,
  }),
  builtin({
    name: 'fetch',
    group: 'http',
    summary: 'Fetches.',
    params: [
      { name: 'url', type: 'string' },
      {
        name: 'options',
        type: 'options',
        optional: true,
        keys: {
          timeout: { type: 'number', default: 5, doc: 'Seconds.' },
          method: { type: 'string', default: 'GET', oneOf: ['GET', 'POST'], doc: 'The method.' },
          time_out: { type: 'number', doc: 'Older.', aliasOf: 'timeout' },
          proxy: {
            type: 'array',
            doc: 'The proxy.',
            keys: { port: { type: 'number', doc: 'Its port.' } },
          },
        },
      },
    ],
    returns: 'string',
    run: () => '',
  }),
];

const shell: Environment = {
  name: 'hsh',
  declarations: new Map(declarations.map((one) => [one.name, one])),
  variables: [],
};
const hook: Environment = {
  ...shell,
  name: 'mailfrom',
  variables: [{ name: 'arguments', summary: 'The arguments.', readonly: true }],
};

function hostOf(files: Readonly<Record<string, string>>): CompileHost {
  return {
    modules: {
      find: (path) => {
        const text = files[path];
        return text === undefined ? { problem: 'there is no such file' } : { name: path, text };
      },
    },
    loaders: {},
    patterns: {
      compile: (source, flags): CompiledPattern => {
        if (source.includes('(') && !source.includes(')')) throw new PatternError('missing )', source.length);
        return {
          source,
          flags,
          groupCount: 0,
          names: [],
          engine: 'v8',
          exec: () => undefined,
          test: () => false,
        };
      },
    },
    hash: (bytes) => String(bytes.length),
  };
}

async function lintText(
  text: string,
  { files = {}, environment = shell }: { files?: Record<string, string>; environment?: Environment } = {},
): Promise<string[]> {
  const found = await lint({ name: 'a.hsl', text }, environment, hostOf(files));
  return found.map((one) => renderLine(one).replace(/^a\.hsl:/, ''));
}

describe('what the compiler refuses is found', () => {
  test('syntax errors, all of them, and nothing else', async () => {
    expect(await lintText('echo );\n$unused = ;\nf(;')).toEqual([
      '1:6: error HSL1100: unexpected ")"; expected an expression',
      '2:11: error HSL1100: unexpected ";"; expected an expression',
      '3:3: error HSL1100: unexpected ";"; expected an argument or ")"',
    ]);
  });

  test('unknown names, with a suggestion', async () => {
    expect((await lintText('echo lenght("a");'))[0]).toContain('Did you mean "length"?');
  });

  test('a missing import', async () => {
    expect((await lintText('import { f } from "gone.hsl"; f();'))[0]).toContain('HSL3001');
  });

  test('errors in an imported file, behind those of the file itself', async () => {
    const found = await lintText('import { f } from "lib.hsl"; f(1); break;', {
      files: { 'lib.hsl': 'function f($a) { return $a; }\ncontinue;' },
    });
    expect(found).toHaveLength(2);
    expect(found[0]).toMatch(/^1:36: error/);
    expect(found[1]).toMatch(/^lib\.hsl:2:1: error/);
  });

  test('a correct script has no findings', async () => {
    expect(await lintText('function f($x) { $y = length($x); return $y; }\necho f("a");')).toEqual([]);
  });
});

interface Case {
  readonly warns: string;
  readonly message: string;
  /** Scripts close to it that are fine. */
  readonly fine: readonly string[];
}

const cases: Readonly<Record<string, Case>> = {
  'operators that always fail on their literals': {
    warns: 'echo "a" - 1;',
    message: '1:6: warning HSL9001',
    fine: ['echo "a" + 1;'],
  },
  'statements that are never reached': {
    warns: 'function f() { return 1; echo 2; }',
    message: '1:26: warning HSL9002: this is never reached',
    fine: ['function f($a) { if ($a) return 1; echo 2; }'],
  },
  'unknown options of cache': {
    warns: 'function f() { return 1; } echo cache ["tll" => 1] f();',
    message: '1:40: warning HSL9003: cache has no option "tll". Did you mean "ttl"?',
    fine: ['function f() { return 1; } echo cache ["ttl" => 1] f();'],
  },
  'variables that are set and never read': {
    warns: 'function f() { $x = 1; $x += 2; $x++; return 3; }',
    message: '1:16: warning HSL9004: the variable $x is set but never read',
    fine: [
      'function f() { $x = 1; return $x; }',
      'function f() { $x = 1; return "$x"; }',
      'function f($unused) { return 1; }',
      'function f() { $_x = 1; return 3; }',
      'function f($l) { foreach ($l as $k => $v) echo 1; }',
      'function f($l) { [$a, $b] = $l; return $b; }',
      'function f() { try { echo 1; } catch ($e) { } }',
      'function f() { $x = 1; return function () closure ($x) { return $x; }; }',
      'function f() { global $x; $x = 1; }',
      'function f($o) { $p = $o; $p->x = 1; }',
      'function f() { $n = 1; return ++$n; }',
      '$x = 1;',
    ],
  },
  'assignments as conditions': {
    warns: 'function f($a) { if ($a = 1) echo $a; }',
    message: '1:22: warning HSL9005',
    fine: [
      'function f($a) { if (($a = 1)) echo $a; }',
      'function f($a) { if (!$a = 1) echo $a; }',
      'function f($a) { if ($a == 1) echo $a; }',
      'function f($a) { if ([$b] = $a) echo $b; }',
    ],
  },
  'functions that take a builtin’s place': {
    warns: 'function length($x) { return builtin length($x); }',
    message:
      '1:10: warning HSL9006: the function length takes the place of the builtin length in the whole script',
    fine: ['function f() { function length() { return 1; } return length(); }'],
  },
  'literals of a wrong type': {
    warns: 'echo length(5);',
    message:
      '1:13: warning HSL9007: argument 1 (value) of length must be a string or an array; found a number',
    fine: [
      'echo length([5]);',
      'echo match_all("a", 1, 2);',
      'echo match_all(#/a/, 1);',
      'echo match_all(...[5, "a"]);',
    ],
  },
  'literals of a wrong type behind a rest parameter': {
    warns: 'echo match_all("a", 1, "2");',
    message: '1:24: warning HSL9007: argument 3 (rest) of match_all must be a number; found a string',
    fine: [],
  },
  'options that do not exist': {
    warns: 'echo fetch("u", ["timeuot" => 1]);',
    message: '1:18: warning HSL9008: fetch has no option "timeuot". Did you mean "timeout"?',
    fine: ['$k = "x"; echo fetch("u", ["timeout" => 1, $k => 2, "method" => "POST", "timeout" => none]);'],
  },
  'options inside of an option that do not exist': {
    warns: 'echo fetch("u", ["proxy" => ["prot" => 1]]);',
    message: '1:30: warning HSL9008: "proxy" of fetch has no option "prot". Did you mean "port"?',
    fine: ['$p = []; echo fetch("u", ["proxy" => ["port" => 1]]); echo fetch("u", ["proxy" => $p]);'],
  },
  'options inside of an option of a wrong type': {
    warns: 'echo fetch("u", ["proxy" => (["port" => "1"])]);',
    message: '1:41: warning HSL9007: option "port" of "proxy" of fetch must be a number; found a string',
    fine: [],
  },
  'options of a wrong type': {
    warns: 'echo fetch("u", ["timeout" => "1"]);',
    message: '1:31: warning HSL9007: option "timeout" of fetch must be a number; found a string',
    fine: [],
  },
  'option values that are not allowed': {
    warns: 'echo fetch("u", ["method" => "PUT"]);',
    message: '1:30: warning HSL9007: option "method" of fetch must be one of "GET", "POST"; found "PUT"',
    fine: [],
  },
  'older names of options': {
    warns: 'echo fetch("u", ["time_out" => 1]);',
    message: '1:18: warning HSL9009: the option "time_out" is an older name of "timeout". Use "timeout".',
    fine: [],
  },
  'older names of functions': {
    warns: 'echo strlen("a");',
    message: '1:6: warning HSL9009: the function "strlen" is an older name of "length". Use "length".',
    fine: ['echo length("a");', 'class A { static function strlen() { return 1; } } echo A::strlen();'],
  },
  'words of other languages as names': {
    warns: 'function lambda() { return 1; }',
    message:
      '1:10: warning HSL9010: "lambda" is a word of other languages; it should not be the name of a function',
    fine: ['class A { function use() { return 1; } }'],
  },
  'variables that may not be set': {
    warns: 'function f($a) { if ($a) $x = 1; return $x; }',
    message: '1:41: warning HSL9011: the variable $x may not be set when it is read here',
    fine: [
      'function f($a) { if ($a) $x = 1; else $x = 2; return $x; }',
      'function f($a) { if ($a) $x = 1; return $x ?? 2; }',
      'function f($a) { if ($a) $x = 1; if (isset($x)) return $x; }',
      'function f() { global $x; return $x; }',
    ],
  },
};

describe('warnings', () => {
  for (const [name, { warns, message, fine }] of Object.entries(cases)) {
    test(`for ${name}`, async () => {
      const found = await lintText(warns);
      expect(found).toHaveLength(1);
      expect(found[0]).toContain(message);
      for (const text of fine) expect([text, ...(await lintText(text))]).toEqual([text]);
    });
  }

  test('for imports nobody names', async () => {
    const files = { 'lib.hsl': 'function f() { return 1; }\nfunction g() { return 2; }\n$x = 1; $y = 2;' };
    const text =
      'import { f, g as h, $x, $y as $z } from "lib.hsl";\nimport * as lib from "lib.hsl";\necho f() . $z;';
    expect(await lintText(text, { files })).toEqual([
      '1:13: warning HSL9012: "h" is imported but never used',
      '1:21: warning HSL9012: $x is imported but never used',
      '2:1: warning HSL9012: the namespace lib is imported but never used',
    ]);
    expect(
      await lintText('import { f } from "lib.hsl";\nimport * as lib from "lib.hsl";', { files }),
    ).toEqual([]);
  });

  test('about variables of the main scope are given in hooks only', async () => {
    expect(await lintText('$x = 1;', { environment: hook })).toEqual([
      '1:1: warning HSL9004: the variable $x is set but never read',
    ]);
    expect(await lintText('$x = 1; echo $x;', { environment: hook })).toEqual([]);
    expect(await lintText('$x = 1;')).toEqual([]);
  });

  test('in an included file are given with their place, those of an imported one are not', async () => {
    const files = {
      'part.hsl': 'echo strlen("a");',
      'lib.hsl': 'function f() { $x = 1; return strlen("a"); }',
    };
    expect(await lintText('include "part.hsl";\nimport { f } from "lib.hsl";\necho f();', { files })).toEqual(
      ['part.hsl:1:6: warning HSL9009: the function "strlen" is an older name of "length". Use "length".'],
    );
  });

  test('of a file that is included twice are given once', async () => {
    const files = { 'part.hsl': 'echo strlen("a");' };
    expect(await lintText('include "part.hsl"; include "part.hsl";', { files })).toHaveLength(1);
  });
});
