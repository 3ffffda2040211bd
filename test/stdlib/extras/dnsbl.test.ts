import { expect, test } from 'vitest';
import { createLocalServices } from '#stdlib';
import { type FixedZone, fixedResolver } from '../../support/fixed-zone.js';
import { run } from '../../support/run-script.js';

const zone: FixedZone = {
  '2.0.0.127.list.test': { a: ['127.0.0.2', '127.0.0.10'], txt: ['see list.test'] },
  '1.2.0.192.list.test': { a: ['127.255.255.254'] },
  '3.2.0.192.list.test': 'SERVFAIL',
  '4.2.0.192.list.test': { a: ['203.0.113.1'] },
  'bad.example.list.test': { a: ['127.0.1.2'] },
  [`1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.list.test`]: { a: ['127.0.0.4'] },
  'evil.example.k3y.dbl.dq.spamhaus.net': { a: ['127.0.1.2'] },
};

function script(text: string): Promise<string[]> {
  return run(
    `import { dnsbl_lookup, dqs_lookup } from "extras://dnsbl"; ${text}`,
    {},
    undefined,
    createLocalServices({
      network: {
        resolver: fixedResolver(zone),
        mailClient: undefined,
        backgroundRequests: undefined,
        submission: undefined,
      },
    }),
  );
}

test.each([
  ['"127.0.0.2", "list.test"', '["listed"=>true,"codes"=>[0=>"127.0.0.2",1=>"127.0.0.10"],"texts"=>[]]'],
  [
    '"127.0.0.2", "list.test", ["codes" => ["127.0.0.10/31"], "texts" => true]',
    '["listed"=>true,"codes"=>[0=>"127.0.0.10"],"texts"=>[0=>"see list.test"]]',
  ],
  ['"127.0.0.2", "list.test", ["codes" => ["127.0.0.3"]]', '["listed"=>false,"codes"=>[],"texts"=>[]]'],
  ['"192.0.2.77", "list.test"', '["listed"=>false,"codes"=>[],"texts"=>[]]'],
  ['"bad.example.", "list.test"', '["listed"=>true,"codes"=>[0=>"127.0.1.2"],"texts"=>[]]'],
  ['"2001:db8::1", "list.test"', '["listed"=>true,"codes"=>[0=>"127.0.0.4"],"texts"=>[]]'],
])('dnsbl_lookup(%s) is %s', async (given, result) => {
  expect(await script(`echo dnsbl_lookup(${given});`)).toEqual([result]);
});

test.each([
  ['192.0.2.1', 'The list does not answer public resolvers'],
  ['192.0.2.3', 'SERVFAIL'],
  ['192.0.2.4', 'The answer 203.0.113.1 is not one of a list'],
])('a list out of order blocks nobody: %s', async (ip, error) => {
  expect(
    await script(
      `$result = dnsbl_lookup("${ip}", "list.test"); echo $result["listed"]; echo $result["error"];`,
    ),
  ).toEqual(['false', error]);
});

test('DQS names carry the key of the account, which can smuggle nothing in', async () => {
  expect(
    await script(`echo dqs_lookup("evil.example", "k3y", "dbl")["listed"];
      try { dqs_lookup("x.test", "a.b", "dbl"); } catch ($e) { echo $e->message(); }`),
  ).toEqual(['true', "dqs_lookup: the key and the list's name are letters and digits"]);
});
