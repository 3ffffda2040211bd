import { readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root, runProgram } from '../support/peers.js';
import { scratchFolder } from '../support/scratch-folder.js';

// The command as people run it: arguments, streams and exit codes.

function argonite(args: readonly string[], input = '', cwd?: string) {
  const cache = scratchFolder();
  return runProgram(process.execPath, [path.join(root, 'src/cli/launch.cjs'), ...args], {
    input,
    env: { ...process.env, TZ: 'UTC', XDG_CACHE_HOME: cache },
    ...(cwd === undefined ? {} : { cwd }),
  });
}

test('hsh echoes one line per echo and ends with 0', async () => {
  expect(await argonite(['hsh', '-e', 'echo 6 * 7; echo "å\\xff";'])).toEqual({
    code: 0,
    stdout: '42\n\xc3\xa5\xff\n',
    stderr: '',
  });
});

test('hsh reads a script from stdin, also by its older name', async () => {
  expect((await argonite(['hsh', '-'], 'echo 6*7;')).stdout).toBe('42\n');
  const folder = scratchFolder();
  symlinkSync(path.join(root, 'src/cli/launch.cjs'), path.join(folder, 'hsh'));
  const { code, stdout } = await runProgram(process.execPath, [path.join(folder, 'hsh'), '-'], {
    input: 'echo 1;',
    env: { ...process.env, XDG_CACHE_HOME: folder },
  });
  expect({ code, stdout }).toEqual({ code: 0, stdout: '1\n' });
});

test('an uncaught error is FILE:LINE:COL: error: MESSAGE with the HSL stack, and exit code 1', async () => {
  const folder = scratchFolder({
    'a.hsl': 'function f($x) {\n  throw Exception("boom");\n}\necho "before";\nf(1);\n',
  });
  const { code, stdout, stderr } = await argonite(['hsh', 'a.hsl'], '', folder);
  expect({ code, stdout }).toEqual({ code: 1, stdout: 'before\n' });
  expect(stderr).toMatch(/^a\.hsl:2:\d+: error: boom/);
  expect(stderr).toMatch(/a\.hsl:5/);
  expect(stderr).not.toMatch(/node:|dist\//);
});

test('a script that does not compile shows a code frame and ends with 2', async () => {
  const folder = scratchFolder({ 'a.hsl': 'echo 1;\necho str_fnd("a", "b");\n' });
  const { code, stdout, stderr } = await argonite(['hsh', 'a.hsl'], '', folder);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^a\.hsl:2:6: error: /);
  expect(stderr).toContain('str_find');
  expect(stderr).toMatch(/\^/);
});

test('hsh finds includes beside the script and below -I', async () => {
  const folder = scratchFolder({
    'a/main.hsl': 'include "part.hsl"; echo part();',
    'a/part.hsl': 'function part() { return "beside"; }',
    'b/part.hsl': 'function part() { return "below"; }',
  });
  expect((await argonite(['hsh', 'a/main.hsl'], '', folder)).stdout).toBe('beside\n');
  expect((await argonite(['hsh', '-I', 'b', 'a/main.hsl'], '', folder)).stdout).toBe('below\n');
});

test('a second run of an unchanged script does not load the parser', async () => {
  const folder = scratchFolder({ 'a.hsl': 'echo "hi";' });
  const cache = scratchFolder();
  // The command, telling which files of the bundle it loads.
  const launch = `
    const { currentFolder, openBundle } = require(${JSON.stringify(path.join(root, 'src/bundle/load.cjs'))});
    openBundle(currentFolder(), { onScript: (file) => console.error(file) })('./command.cjs');`;
  const run = () =>
    runProgram(process.execPath, ['-e', launch, 'argonite', 'hsh', path.join(folder, 'a.hsl')], {
      env: { ...process.env, XDG_CACHE_HOME: cache },
    });
  const cold = await run();
  const warm = await run();
  expect([cold.stdout, warm.stdout]).toEqual(['hi\n', 'hi\n']);
  expect(cold.stderr).toContain('chevrotain');
  expect(warm.stderr).toContain('rooms.cjs');
  expect(warm.stderr).not.toContain('chevrotain');
});

test('--dump shows the bytecode and runs nothing', async () => {
  const { code, stdout } = await argonite(['hsh', '--dump', '-e', 'echo 1 + length("abc");']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/echo/i);
  expect(stdout).not.toMatch(/^4$/m);
});

test('lint prints file:line:col: severity and number, and fails on errors only', async () => {
  const folder = scratchFolder({
    'bad.hsl': 'echo 1 +;\n',
    'warn.hsl': 'function f() { $unused = 1; return 2; }\necho f();\n',
    'good.hsl': 'echo 1;\n',
  });
  const bad = await argonite(['lint', 'bad.hsl'], '', folder);
  expect(bad.code).toBe(1);
  expect(bad.stdout).toMatch(/^bad\.hsl:1:9: error HSL\d{4}: /);
  const warned = await argonite(['lint', 'warn.hsl'], '', folder);
  expect(warned.code).toBe(0);
  expect(warned.stdout).toMatch(/^warn\.hsl:1:\d+: warning HSL9\d{3}: .*unused/m);
  expect(await argonite(['lint', 'good.hsl'], '', folder)).toEqual({ code: 0, stdout: '', stderr: '' });
  const json = await argonite(['lint', '--format', 'json', '.'], '', folder);
  expect(JSON.parse(json.stdout)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ file: 'bad.hsl', line: 1, column: 9, severity: 'error' }),
    ]),
  );
});

test('lint knows the phase by --phase or by the folder of a hook', async () => {
  const folder = scratchFolder({
    'hooks/rcptto/a.hsl': 'if ($arguments["recipient"] == "a@b.test") Reject("no");\n',
    'hooks/eod/b.hsl': 'Try();\n',
    'plain.hsl': 'Reject("no");\n',
  });
  expect((await argonite(['lint', 'hooks/rcptto/a.hsl'], '', folder)).code).toBe(0);
  const wrong = await argonite(['lint', 'hooks'], '', folder);
  expect(wrong).toMatchObject({ code: 1, stdout: expect.stringContaining('hooks/eod/b.hsl:1:1: error') });
  expect((await argonite(['lint', 'plain.hsl'], '', folder)).code).toBe(1);
  expect((await argonite(['lint', '--phase', 'mailfrom', 'plain.hsl'], '', folder)).code).toBe(0);
  expect((await argonite(['lint', '--phase', 'nowhere', 'plain.hsl'], '', folder)).code).toBe(64);
});

test('hsh -A runs the entry point of a running configuration with its files', async () => {
  const app =
    '__entrypoint: include "a.hsl"; echo part();\nscripting:\n  files:\n    - id: a.hsl\n      data: function part() { return "from the list"; }\n';
  const { code, stdout } = await argonite(['hsh', '-A', '-'], app);
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'from the list\n' });
});

test('what hsh cannot do yet ends with 64 and says so', async () => {
  const { code, stderr } = await argonite(['hsh', '--ffi', '-e', 'echo 1;']);
  expect(code).toBe(64);
  expect(stderr).toContain('not supported yet');
});

test('lint - answers editors in YAML on stderr', async () => {
  const good = await argonite(['lint', '-'], 'version: "6.8"\nphase: rcptto\ndata: |\n  Reject("no");\n');
  expect(good).toEqual({ code: 0, stdout: '', stderr: '' });
  const bad = await argonite(
    ['lint', '-'],
    'version: "6.8"\nphase: ""\ndata: "include \\"a.hsl\\";"\nfiles:\n  - id: a.hsl\n    data: "echo 1 +;"\n',
  );
  expect(bad.code).toBe(1);
  expect(bad.stderr).toMatch(
    /file: a\.hsl\nline: 1\ncolumn: 9\nmessage: .*\npath:\n {2}- line: 1\n {4}column: \d+\n/,
  );
});

test('serve --check tells every problem at its place and starts nothing', async () => {
  const folder = scratchFolder({
    'smtpd.yaml': 'version: "6.8"\nservers: []\nfoo: 1\n',
    'smtpd-app.yaml': 'version: "6.8"\nservers: []\n',
  });
  const { code, stderr } = await argonite(['serve', '--check', '-c', folder]);
  expect(code).toBe(1);
  expect(stderr).toContain('smtpd.yaml:3:1: error: unknown key "foo"');
  expect((await argonite(['serve', '--check', '-c', path.join(root, 'examples/first-hook')])).code).toBe(0);
});

test('wrong usage ends with 64, help and version with 0', async () => {
  expect((await argonite(['frobnicate'])).code).toBe(64);
  expect((await argonite(['hsh', '--tier', '7', '-e', ''])).code).toBe(64);
  expect(await argonite(['queue', 'show'])).toEqual({
    code: 64,
    stdout: '',
    stderr: "argonite: missing required argument 'id'\n(argonite queue show --help says more)\n",
  });
  const before = await argonite(['--no-color', '-s', '/none/ctl', 'stats']);
  expect([before.code, before.stderr]).toEqual([69, expect.stringContaining('/none/ctl')]);
  // Nothing is sent by a slip in a date.
  const past = await argonite(['queue', 'update', '--all', '--until', '2020-01-01']);
  expect([past.code, past.stderr]).toEqual([64, expect.stringContaining('"2020-01-01", which is past')]);
  expect((await argonite(['--help'])).code).toBe(0);
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  expect((await argonite(['--version'])).stdout).toBe(`${version}\n`);
});
