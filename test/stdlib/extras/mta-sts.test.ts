import { describe, expect, test } from 'vitest';
import { policyCases, recordCases } from '../../support/mta-sts-policies.js';
import { run } from '../../support/run-script.js';

const good =
  'version: STSv1\\r\\nmode: enforce\\r\\nmx: mx1.Example.test\\r\\nmx: *.example.test\\r\\nmax_age: 86400\\r\\n';

/** A script whose look-ups are answered by $txt and $web, and counted in $asked. */
function fetching(txt: string, web: string, script: string): Promise<string[]> {
  return run(
    `import { mta_sts } from "extras://mta-sts";
    $txt = ${txt}; $web = ${web}; $asked = [];
    $options = [
      "dns_function" => function ($name) closure ($txt, $asked) { $asked[] = $name; return $txt; },
      "http_function" => function ($url, $how) closure ($web, $asked) { $asked[] = $url; return $web; },
    ];
    ${script}`.replace(/ß/g, Buffer.from('ß').toString('latin1')),
  );
}
const record = '["result" => ["unrelated", "v=STSv1; id=20260101;"]]';
const page = (text: string) => `["status" => 200, "content" => "${text}"]`;

test('a policy is fetched from its place, read, and remembered until its id changes', async () => {
  expect(
    await fetching(
      record,
      page(good),
      `echo mta_sts("Straße.Example.test", $options); echo $asked;
       mta_sts("straße.example.test", $options); echo length($asked);
       $txt = ["result" => ["v=STSv1; id=2"]]; $web = ${page(good.replace('enforce', 'testing'))};
       echo mta_sts("straße.example.test", $options)["policy"]["mode"]; echo length($asked);
       $txt = ["error" => "SERVFAIL"]; echo mta_sts("straße.example.test", $options)["policy"]["mode"];
       $txt = ["result" => ["v=STSv1; id=3"]]; $web = none;
       $kept = mta_sts("straße.example.test", $options); echo $kept["policy"]["mode"]; echo $kept["error"];`,
    ),
  ).toEqual([
    '["id"=>"20260101","policy"=>["version"=>"STSv1","mode"=>"enforce","mx"=>[0=>"mx1.example.test",1=>"*.example.test"],"max_age"=>86400]]',
    '[0=>"_mta-sts.xn--strae-oqa.example.test",1=>"https://mta-sts.xn--strae-oqa.example.test/.well-known/mta-sts.txt"]',
    '3',
    'testing',
    '5',
    'testing',
    'testing',
    'The policy could not be fetched from https://mta-sts.xn--strae-oqa.example.test/.well-known/mta-sts.txt',
  ]);
});

describe('without a record there is no policy', () => {
  test.each([
    '["error" => "NXDOMAIN"]',
    '["error" => "NODATA"]',
    '["result" => ["v=STSv1; id=1;", "v=STSv1; id=2;"]]',
    '["result" => ["v=STSv1"]]',
    '["result" => ["v=STSv10; id=1"]]',
  ])('%s', async (txt) => {
    expect(
      await fetching(txt, page(good), 'echo mta_sts("none.test", $options); echo length($asked);'),
    ).toEqual(['none', '1']);
  });
});

test('a failure of DNS is told', async () => {
  expect(
    await fetching('["error" => "SERVFAIL"]', page(good), 'echo mta_sts("dns.test", $options);'),
  ).toEqual(['["id"=>"","error"=>"SERVFAIL"]']);
});

describe('a policy that cannot be used is told', () => {
  test.each([
    ['none', /could not be fetched/],
    ['["status" => 404, "content" => ""]', /answers with 404/],
    [page(''), /not of version STSv1/],
    [page('version: STSv1\\nmode: maybe\\nmax_age: 1\\nmx: a.test'), /no mode out of/],
    [page('version: STSv1\\nmode: enforce\\nmx: a.test'), /no max_age/],
    [page('version: STSv1\\nmode: enforce\\nmax_age: 1'), /names no mx/],
    [page('version: STSv1\\nmode: enforce\\nmax_age: 1\\nmx: a b'), /no host name/],
    [page('version: STSv1\\nmode: enforce\\nmax_age: 1\\nmx: *.*.test'), /no host name/],
    [page('<html>'), /no field/],
  ])('%s', async (web, error) => {
    const [echoed] = await fetching(record, web, 'echo mta_sts("bad.test", $options)["error"];');
    expect(echoed).toMatch(error);
  });
});

test('a policy of mode none needs no mx, and lives a year at most', async () => {
  expect(
    await fetching(
      record,
      page('version: STSv1\\nmode: none\\nmax_age: 9999999999\\nextension: x\\n'),
      'echo mta_sts("off.test", $options)["policy"];',
    ),
  ).toEqual(['["version"=>"STSv1","mode"=>"none","mx"=>[],"max_age"=>31557600]']);
});

describe('the daemon and this module mean the same by a file', () => {
  test.each(policyCases)('$name', async ({ text, means }) => {
    const [echoed] = await fetching(
      record,
      page(JSON.stringify(text).slice(1, -1)),
      'echo json_encode(mta_sts("same.test", $options));',
    );
    const { policy, error } = JSON.parse(echoed ?? '') as {
      policy?: { mode: string; mx: string[] | Record<string, never>; max_age: number };
      error?: string;
    };
    if ('problem' in means) expect(error).toMatch(means.problem);
    else expect(policy).toMatchObject({ mode: means.mode, max_age: means.maxAgeSeconds, mx: [...means.mx] });
  });

  test.each(recordCases)('%j', async (texts, id) => {
    const txt = texts.length === 0 ? '["error" => "NODATA"]' : `["result" => ${JSON.stringify(texts)}]`;
    expect(
      await fetching(txt, page(good), 'echo (mta_sts("same.test", $options) ?? ["id" => "none"])["id"];'),
    ).toEqual([id ?? 'none']);
  });
});
