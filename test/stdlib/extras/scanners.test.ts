// The clients of clamd, spamd and rspamd against the real ones, and against none.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Peer, skipReason } from '../../support/peers.js';
import { run } from '../../support/run-script.js';
import {
  startClamd,
  startRspamd,
  startSpamd,
  TEST_SPAM,
  TEST_VIRUS,
} from '../../support/storage-and-scanners.js';

const folders: string[] = [];
function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'argonite-scanner-'));
  folders.push(made);
  return made;
}
afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true, force: true });
});

describe.skipIf(skipReason('clamd') !== undefined)('clam_av', () => {
  let clamd: Peer;
  let place = '';
  beforeAll(async () => {
    place = folder();
    clamd = await startClamd(place);
  });
  afterAll(() => clamd?.stop());

  test('finds a virus, passes what is clean, over TCP and a UNIX socket', async () => {
    expect(
      await run(`import { clam_av } from "extras://clamav";
        echo clam_av(File::String("Subject: x\\r\\n\\r\\n${TEST_VIRUS}\\r\\n"), ["port" => ${clamd.port}]);
        echo clam_av(File::String("Subject: x\\r\\n\\r\\nfine\\r\\n"), ["host" => "127.0.0.1", "port" => ${clamd.port}]);
        echo clam_av(File::String("${TEST_VIRUS}"), ["path" => "${place}/clamd.sock"]);`),
    ).toEqual(['[0=>"Argonite.Test.UNOFFICIAL"]', '[]', '[0=>"Argonite.Test.UNOFFICIAL"]']);
  });

  test('what is larger than clamd takes could not be scanned', async () => {
    expect(
      await run(`import { clam_av } from "extras://clamav";
        echo clam_av(File::String("x" * 3000000), ["port" => ${clamd.port}]);`),
    ).toEqual(['none']);
  });
});

describe.skipIf(skipReason('spamd') !== undefined)('spamc', () => {
  let spamd: Peer;
  beforeAll(async () => {
    spamd = await startSpamd(folder());
  });
  afterAll(() => spamd?.stop());

  test('tells spam from ham, with symbols or their scores', async () => {
    // spamd gives rules in no order, so they are compared as JSON objects.
    const echoes = await run(`import { spamc } from "extras://spamassassin";
        $options = ["port" => ${spamd.port}];
        $mail = function ($subject) { return File::String("Subject: $subject\\r\\n\\r\\nhello\\r\\n"); };
        echo json_encode(spamc($mail("${TEST_SPAM} mild"), $options));
        echo json_encode(spamc($mail("hello"), [...$options, "report" => true]));
        echo json_encode(spamc($mail("mild"), [...$options, "report" => true, "sender" => "a@b.test\\r\\nX: y", "user" => "nobody"]));`);
    const [spam, ham, mild] = echoes.map((echo) => JSON.parse(echo));
    expect({ ...spam, symbols: spam.symbols.toSorted() }).toEqual({
      spam: true,
      score: 11.5,
      threshold: 5,
      symbols: ['ARGONITE_MILD', 'ARGONITE_TEST'],
    });
    expect(ham).toEqual({ spam: false, score: 0, threshold: 5, symbols: [] });
    expect(mild).toEqual({
      spam: false,
      score: 1.6,
      threshold: 5,
      symbols: { ARGONITE_MILD: 1.5, ARGONITE_PATH: 0.1 },
    });
  });

  test('a message above the limit is not sent', async () => {
    expect(
      await run(`import { spamc } from "extras://spamassassin";
        echo spamc(File::String("x" * 11), ["port" => ${spamd.port}, "size_limit" => 10])["error"];`),
    ).toEqual(['The message is larger than 10 bytes']);
  });
});

describe.skipIf(skipReason('rspamd') !== undefined)('Rspamd', () => {
  let rspamd: Peer & { readonly controllerPort: number };
  beforeAll(async () => {
    rspamd = await startRspamd(folder());
  });
  afterAll(() => rspamd?.stop());

  test('scans and learns', async () => {
    expect(
      await run(`import { Rspamd } from "extras://rspamd";
        $rspamd = Rspamd(["port" => ${rspamd.port}, "controllerport" => ${rspamd.controllerPort}, "password" => "sekrit"]);
        $mail = function ($subject) { return File::String("Subject: $subject\\r\\n\\r\\nhello\\r\\n"); };
        $spam = $rspamd->scan($mail("${TEST_SPAM}"), ["Helo" => "mx.test\\r\\nFlags: x", "Ip" => "192.0.2.1"]);
        echo $spam["action"]; echo $spam["score"]; echo $spam["symbols"]["ARGONITE_TEST"]["options"];
        echo $rspamd->scan($mail("hello"))["action"];
        echo Rspamd(["port" => ${rspamd.port}, "max_message_size" => 10])->scan($mail("hello"));
        try { $rspamd->learn($mail("x"), "eggs"); } catch ($e) { echo $e->message(); }`),
    ).toEqual([
      'reject',
      '20',
      '[0=>"mx.test Flags: x"]',
      'no action',
      'none',
      'Rspamd: the type to learn must be "spam" or "ham"',
    ]);
  });
});

test('no scanner gives none or an error, soon', async () => {
  expect(
    await run(`import { clam_av } from "extras://clamav";
      import { spamc } from "extras://spamassassin";
      import { Rspamd } from "extras://rspamd";
      echo clam_av(File::String("x"), ["path" => "/nowhere/clamd.sock"]);
      echo clam_av(File::String("x"), ["port" => 1]);
      echo spamc(File::String("x"), ["port" => 1]);
      echo Rspamd(["port" => 1])->scan(File::String("x"));`),
  ).toEqual(['none', 'none', '["error"=>"spamd does not answer"]', 'none']);
});
