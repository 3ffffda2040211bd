// Modules of one function or class each: ulid, totp, jlog, rate.

import { expect, test } from 'vitest';
import { compile, execute } from '#lang';
import { createLocalServices } from '#stdlib';
import { run } from '../../support/run-script.js';
import { catalogEnvironment, createCompileHost, createRunHost } from '../../support/script-host.js';

test('a ulid begins with its time, as in the specification, and is 26 characters long', async () => {
  expect(
    await run(`import { ulid, ulid_time } from "extras://ulid";
      $id = ulid(1469918176.385);
      echo $id[0:10]; echo length($id); echo ulid_time($id);
      echo ulid_time("7" . "Z" * 25); echo ulid_time("8" . "0" * 25); echo ulid_time($id . "\\n"); echo ulid() != ulid();`),
  ).toEqual(['01ARYZ6S41', '26', '1469918176.385', '281474976710.655', 'none', 'none', 'true']);
});

test.each([
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
])('RFC 6238 appendix B: the password at %i is %s', async (time, password) => {
  const secret = '"is_base32" => false, "secret" => "12345678901234567890"';
  expect(
    await run(`import { TOTP } from "extras://totp";
      $totp = TOTP([${secret}, "time" => ${time}]);
      echo $totp->get_token();
      echo $totp->verify_token("${password}");
      echo TOTP([${secret}, "time" => ${time} + 30])->verify_token("${password}");
      echo TOTP([${secret}, "time" => ${time} + 60])->verify_token("${password}");
      echo $totp->verify_token("") or $totp->verify_token(none) or $totp->verify_token(number("${password}"));`),
  ).toEqual([password, 'true', 'true', 'false', 'false']);
});

test('a TOTP secret is read as apps show it', async () => {
  expect(
    await run(`import { TOTP } from "extras://totp";
      echo TOTP(["secret" => "gezd gnbv gy3t qojq gezd gnbv gy3t qojq", "time" => 59])->get_token();
      echo length(TOTP()->get_token());`),
  ).toEqual(['287082', '6']);
});

test('a journal entry is one line of the log, and its journal has a plain name', async () => {
  const lines: string[] = [];
  const compiled = await compile(
    {
      name: 'main.hsl',
      text: `import { jlogger } from "extras://jlog";
        jlogger("delivery", json_encode(["a" => 1]) . "\\r\\nforged");
        jlogger("no such\\nname", "x");`,
    },
    catalogEnvironment(),
    createCompileHost(),
  );
  const services = createLocalServices({ syslog: (priority, text) => lines.push(`<${priority}>${text}`) });
  const result = await execute(compiled.program!, { host: createRunHost(), services }).run();
  expect(lines).toEqual(['<174>jlog/delivery: {"a":1}\\r\\nforged']);
  expect(result.kind).toBe('failed');
});

test('rate from its module is the builtin', async () => {
  expect(
    await run(`import { rate } from "extras://rate";
      echo rate("small-modules", "x", 1, 60); echo rate("small-modules", "x", 1, 60, ["sync" => false]);
      echo builtin rate("small-modules", "x", 0, 60);`),
  ).toEqual(['true', 'false', '1']);
});
