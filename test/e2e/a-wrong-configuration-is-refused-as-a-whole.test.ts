import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { configFolder, queueAll, sendMail, serveUntilItEnds, startMta } from '../support/mta.js';
import { TestClient } from '../support/smtp-client.js';

// At start every problem is told at its place and nothing starts; at a reload every problem is told and nothing changes.

test('a script that does not compile ends the start with 1 and a code frame', async () => {
  const { code, stderr } = await serveUntilItEnds(
    configFolder({ hooks: { eod: 'echo "fine";\nRejct("no");\n', mailfrom: '$x = ;\n' } }),
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(/hooks\/eod\/main\.hsl:2:1: error.*Rejct/);
  expect(stderr).toMatch(/did you mean.*Reject/i);
  expect(stderr).toMatch(/2 \|.*Rejct\("no"\);/);
  expect(stderr).toMatch(/\^/);
  expect(stderr).toMatch(/hooks\/mailfrom\/main\.hsl:1:6: error/);
  expect(stderr).not.toMatch(/node:|dist\//);
});

test('an include that is not there is told with the place of the include', async () => {
  const { code, stderr } = await serveUntilItEnds(
    configFolder({ hooks: { eod: 'include "missing.hsl";\n' } }),
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(/hooks\/eod\/main\.hsl:1:\d+: error.*missing\.hsl/);
});

test('a file for scripts that cannot be read is told, and a link to a readable one is as good as the file', async () => {
  const folder = configFolder({ hooks: { eod: 'include "part.hsl";\n' }, files: { 'a.txt': 'a' } });
  symlinkSync('/nowhere', path.join(folder, 'files/part.hsl'));
  const { code, stderr } = await serveUntilItEnds(folder);
  expect(code).toBe(1);
  expect(stderr).toMatch(/files\/part\.hsl.*cannot be read: ENOENT/);
  rmSync(path.join(folder, 'files/part.hsl'));
  writeFileSync(path.join(folder, 'elsewhere.hsl'), 'echo 1 +;\n');
  symlinkSync('../elsewhere.hsl', path.join(folder, 'files/part.hsl'));
  expect((await serveUntilItEnds(folder)).stderr).toMatch(/part\.hsl:1:9: error/);
});

test('an error in an included file is told at its place there', async () => {
  const { code, stderr } = await serveUntilItEnds(
    configFolder({ hooks: { eod: 'include "part.hsl";\n' }, files: { 'part.hsl': 'echo 1;\necho 2 +;\n' } }),
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(/part\.hsl:2:9: error/);
});

for (const [what, name] of [
  ['a hook', 'hooks/eod/main.hsl'],
  ['the predelivery script', 'hooks/queue/predelivery.hsl'],
  ['smtpd-app.yaml', 'smtpd-app.yaml'],
] as const)
  test(`${what} that cannot be read is told by name, and is not taken for one that is not there`, async () => {
    const folder = configFolder({ hooks: { eod: queueAll, predelivery: 'Try();' } });
    rmSync(path.join(folder, name));
    mkdirSync(path.join(folder, name));
    const { code, stderr } = await serveUntilItEnds(folder);
    expect(code).toBe(1);
    expect(stderr).toContain(path.join(folder, name));
    expect(stderr).toMatch(/cannot be read: EISDIR/);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

test('all problems of all files are told at once, each with its line', async () => {
  const folder = configFolder();
  writeFileSync(
    path.join(folder, 'smtpd-policy.yaml'),
    'version: "6.8"\npolicies:\n  - feilds: [remotemx]\n',
  );
  writeFileSync(
    path.join(folder, 'smtpd-delivery.yaml'),
    'version: "6.8"\ndelivery:\n  default:\n    timeout:\n      connect: soon\n',
  );
  const { code, stderr } = await serveUntilItEnds(folder);
  expect(code).toBe(1);
  expect(stderr).toMatch(/smtpd-policy\.yaml:3:5: error: policies\[0\]: unknown key "feilds".*"fields"/);
  expect(stderr).toMatch(/smtpd-delivery\.yaml:5:\d+: error: .*connect/);
});

test('broken YAML is told with line and column', async () => {
  const folder = configFolder();
  writeFileSync(path.join(folder, 'smtpd.yaml'), 'version: "6.8"\nservers: [\n');
  const { code, stderr } = await serveUntilItEnds(folder);
  expect(code).toBe(1);
  expect(stderr).toMatch(/smtpd\.yaml:\d+:\d+: error: /);
});

test('a reload of anything wrong keeps everything as it was, and the daemon goes on', async () => {
  const { daemon, sink } = await startMta({
    hooks: { helo: 'Accept(["reason" => "one"]);', predelivery: 'Try();' },
  });
  const greeting = async () => {
    const { client } = await TestClient.connect(daemon.port);
    const { lines } = await client.command('EHLO c.test');
    await client.quit();
    return lines[0];
  };
  const put = (name: string, text: string) => writeFileSync(path.join(daemon.folder, name), text);
  const reload = async (message: RegExp) => {
    const from = daemon.lines.length;
    daemon.child.kill('SIGHUP');
    return daemon.waitForLine((line) => daemon.lines.indexOf(line) >= from && message.test(line.msg));
  };
  expect(await greeting()).toBe('250-one');

  // The new script is good, the policies are not: neither is taken.
  put('hooks/helo/main.hsl', 'Accept(["reason" => "two"]);');
  put('smtpd-policy.yaml', 'version: "6.8"\npolicies: 7\n');
  expect(JSON.stringify(await reload(/not reloaded/))).toContain('smtpd-policy.yaml:2:');
  expect(await greeting()).toBe('250-one');

  // A file that cannot be read at all is no reason to fall over either.
  put('smtpd-policy.yaml', 'version: "6.8"\n');
  rmSync(path.join(daemon.folder, 'hooks/queue/predelivery.hsl'));
  mkdirSync(path.join(daemon.folder, 'hooks/queue/predelivery.hsl'));
  expect(JSON.stringify(await reload(/not reloaded/))).toContain('predelivery.hsl');
  expect(await greeting()).toBe('250-one');

  rmSync(path.join(daemon.folder, 'hooks/queue/predelivery.hsl'), { recursive: true });
  await reload(/^configuration reloaded/);
  expect(await greeting()).toBe('250-two');
  expect((await sendMail(daemon)).code).toBe(250);
  await sink.waitFor(1);
});
