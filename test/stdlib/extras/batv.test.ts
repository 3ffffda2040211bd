import { expect, test } from 'vitest';
import { run } from '../../support/run-script.js';

const module = 'import { batv_sign, batv_verify, batv_strip } from "extras://batv";\n';
const made = '$made = batv_sign("ada@example.com", "k1", ["keyid" => 3, "time" => 1700000000]);\n';

test('a signed address has key id, day and MAC in front and can be stripped', async () => {
  // Day 19675 and 7 make 19682; HMAC-SHA1("k1", "3682ada@example.com") begins with these bytes (openssl dgst).
  expect(
    await run(`${module}${made} echo $made; echo batv_strip($made); echo batv_strip("ada@example.com");`),
  ).toEqual(['prvs=36827e0cbe=ada@example.com', 'ada@example.com', 'ada@example.com']);
});

test.each([
  ['pass', '$made', '["time" => 1700000000]'],
  ['pass', '$made', '["time" => 1700000000 + 7 * 86400]'],
  ['expired', '$made', '["time" => 1700000000 + 8 * 86400]'],
  ['expired', '$made', '["time" => 1700000000 - 86400]'],
  ['checksum', 'str_replace("ada", "eve", $made)', '["time" => 1700000000]'],
  ['checksum', 'str_replace("prvs=3", "prvs=4", $made)', '["time" => 1700000000]'],
  ['invalid', '"prvs=ada@example.com"', '[]'],
  ['missing', '"ada@example.com"', '[]'],
])('%s: %s', async (result, address, options) => {
  expect(await run(`${module}${made} echo batv_verify(${address}, [3 => "k1"], ${options});`)).toEqual([
    result,
  ]);
});

test('days are counted modulo 1000 across the turn', async () => {
  const time = 19_998 * 86_400;
  expect(
    await run(`${module}
      $made = batv_sign("a@b.c", "k", ["time" => ${time}]);
      echo $made[0:9]; echo batv_verify($made, ["k"], ["time" => ${time} + 5 * 86400]);`),
  ).toEqual(['prvs=0005', 'pass']);
});

test('a key id that is no digit is refused', async () => {
  expect(await run(`${module} batv_sign("a@b.c", "k", ["keyid" => 10]);`)).toEqual([
    'error: batv_sign: keyid must be a digit from 0 to 9',
  ]);
});
