import fc from 'fast-check';
import { expect, test } from 'vitest';
import { run } from '../../support/run-script.js';

const module = 'import { srs_forward, srs_reverse } from "extras://srs";\n';
const options = '["secret" => "tops3cret", "time" => 1700000000]';

test('an address is wrapped once, then passed on, and comes back step by step', async () => {
  expect(
    await run(`${module}
      $first = srs_forward("Ada", "sender.example", ${options});
      $second = srs_forward($first, "first.example", ${options});
      $third = srs_forward($second, "second.example", ${options});
      echo pcre_replace("/^SRS0=[^=]{4}=/", "SRS0=hash=", $first);
      echo pcre_replace("/^SRS1=[^=]{4}=([^=]+)==[^=]{4}=/", "SRS1=hash=$1==hash=", $second);
      echo $third === $second;
      $back = srs_reverse($third, ${options});
      echo $back == ["localpart" => $first, "domain" => "first.example"];
      echo srs_reverse($back["localpart"], ${options});`),
  ).toEqual([
    'SRS0=hash=G3=sender.example=Ada',
    'SRS1=hash=first.example==hash=G3=sender.example=Ada',
    'true',
    'true',
    '["localpart"=>"Ada","domain"=>"sender.example"]',
  ]);
});

test('the hash is the one of Mail::SRS', async () => {
  // base64(HMAC-SHA1("tops3cret", "g3sender.exampleada")), counted with openssl dgst -sha1 -hmac.
  expect(await run(`${module} echo srs_forward("ada", "sender.example", ${options});`)).toEqual([
    'SRS0=xayi=G3=sender.example=ada',
  ]);
});

test.each([
  ['a hash of another secret', '["secret" => "other", "time" => 1700000000]', '$made'],
  ['a changed address', options, 'str_replace("ada", "eve", $made)'],
  ['a hash that is too short', options, 'pcre_replace("/^SRS0=..../", "SRS0=xa", $made)'],
  ['an address that is 22 days old', '["secret" => "tops3cret", "time" => 1700000000 + 22 * 86400]', '$made'],
  ['an address of the future', '["secret" => "tops3cret", "time" => 1700000000 - 2 * 86400]', '$made'],
  ['an address that was never rewritten', options, '"ada"'],
  ['a rewritten address without its parts', options, '"SRS0=rvxr=G3"'],
])('%s is not reversed', async (_, given, address) => {
  expect(
    await run(`${module}
      $made = srs_forward("ada", "sender.example", ${options});
      echo srs_reverse(${address}, ${given});`),
  ).toEqual(['none']);
});

test('case does not matter, and an old secret is still taken while it is replaced', async () => {
  expect(
    await run(`${module}
      $made = srs_forward("ada", "sender.example", ${options});
      echo srs_reverse(str_lower($made), ["secret" => ["new", "tops3cret"], "time" => 1700000000]);`),
  ).toEqual(['["localpart"=>"ada","domain"=>"sender.example"]']);
});

test('whatever local part goes forward comes back', async () => {
  const localPart = fc
    .stringMatching(/^[a-zA-Z0-9.+_=-]{1,40}$/)
    .filter((text) => !/^SRS[01][-+=]/i.test(text));
  await fc.assert(
    fc.asyncProperty(localPart, fc.integer({ min: 0, max: 4e9 }), async (text, time) => {
      const at = `["secret" => "x", "time" => ${time}]`;
      const [echoed] = await run(
        `${module} echo srs_reverse(srs_forward("${text}", "d.example", ${at}), ${at})["localpart"];`,
      );
      expect(echoed).toBe(text);
    }),
    { numRuns: 60, seed: 7 },
  );
});
