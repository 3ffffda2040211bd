import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Peer, skipReason } from '../../support/peers.js';
import { run } from '../../support/run-script.js';
import { startMemcached } from '../../support/storage-and-scanners.js';

const reason = skipReason('memcached');

describe.skipIf(reason !== undefined)('with a memcached server', () => {
  let memcached: Peer;
  beforeAll(async () => {
    memcached = await startMemcached();
  });
  afterAll(() => memcached?.stop());

  const withMemcached = (script: string) =>
    run(`import { Memcached } from "extras://memcached";
      $memcached = Memcached(["port" => ${memcached.port}]);
      ${script}`);

  test('values are stored, found, replaced and deleted', async () => {
    expect(
      await withMemcached(`
        echo $memcached->get("a"); echo $memcached->replace("a", "x"); echo $memcached->add("a", "1\\r\\nEND\\r\\n");
        echo $memcached->add("a", "2"); echo $memcached->get("a") === "1\\r\\nEND\\r\\n"; echo $memcached->set("a", 5);
        echo $memcached->increment("a", 3); echo $memcached->decrement("a", 100); echo $memcached->get("a");
        echo $memcached->touch("a", 60); echo $memcached->delete("a"); echo $memcached->delete("a");
        echo $memcached->increment("a");`),
    ).toEqual([
      'none',
      'false',
      'true',
      'false',
      'true',
      'true',
      '8',
      '0',
      '0',
      'true',
      'true',
      'false',
      'none',
    ]);
  });

  test('a value is gone after its time', async () => {
    expect(await withMemcached(`echo $memcached->set("t", "x", -1); echo $memcached->get("t");`)).toEqual([
      'true',
      'none',
    ]);
  });

  test('a value that is too large is not taken, and the connection goes on', async () => {
    expect(
      await withMemcached(
        `echo $memcached->set("big", "x" * 2000000); echo $memcached->set("small", "y"); echo $memcached->get("small");`,
      ),
    ).toEqual(['none', 'true', 'y']);
  });

  test.each(['""', '"a b"', '"a\\r\\nflush_all"', '"k" * 251'])('the key %s is refused', async (key) => {
    expect((await withMemcached(`$memcached->get(${key});`))[0]).toMatch(
      /^error: Memcached: a key has 1 to 250/,
    );
  });
});

test('no server gives none, soon', async () => {
  expect(
    await run(`import { Memcached } from "extras://memcached";
      $memcached = Memcached(["port" => 1]);
      echo $memcached->get("a"); echo $memcached->set("a", "b"); echo $memcached->delete("a");`),
  ).toEqual(['none', 'none', 'none']);
});
