import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Peer, skipReason } from '../../support/peers.js';
import { run } from '../../support/run-script.js';
import { startRedis } from '../../support/storage-and-scanners.js';

const reason = skipReason('redis-server');

describe.skipIf(reason !== undefined)('with a Redis server', () => {
  let folder = '';
  let redis: Peer;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'argonite-redis-'));
    redis = await startRedis(folder, 'sekrit');
  });
  afterAll(async () => {
    await redis?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const withRedis = (script: string) =>
    run(`import { Redis } from "extras://redis";
      $redis = Redis(["host" => "127.0.0.1", "port" => ${redis.port}, "password" => "sekrit"]);
      ${script}`);

  test('values of all kinds come back as they were stored', async () => {
    expect(
      await withRedis(`
        echo $redis->command("SET", "k", "a\\r\\nb\\x00c");
        echo $redis->command("GET", "k") === "a\\r\\nb\\x00c";
        echo $redis->command("GET", "missing");
        echo $redis->command("INCRBY", "n", 5);
        echo $redis->command("RPUSH", "list", "x", "", 3);
        echo $redis->command("LRANGE", "list", 0, -1);
        echo $redis->command("HGETALL", "missing");
        echo length($redis->command("GETRANGE", "k", 0, -1));`),
    ).toEqual([
      'OK',
      'true',
      'none',
      '5',
      '3',
      '["x","","3"]'.replace(/"x","","3"/, '0=>"x",1=>"",2=>"3"'),
      '[]',
      '6',
    ]);
  });

  test('RESP3 maps, numbers, booleans and nil are understood', async () => {
    expect(
      await withRedis(`
        $redis->command("HELLO", 3);
        $redis->command("HSET", "h", "a", 1, "b", 2);
        echo $redis->command("HGETALL", "h");
        echo $redis->command("ZADD", "z", "1.5", "m"); echo $redis->command("ZSCORE", "z", "m");
        echo $redis->command("GET", "missing");
        echo $redis->command("EVAL", "redis.setresp(3); return true", 0);`),
    ).toEqual(['["a"=>"1","b"=>"2"]', '1', '1.5', 'none', 'true']);
  });

  test('a refusal is an exception with the words of the server, and the connection goes on', async () => {
    expect(
      await withRedis(`
        try { $redis->command("NOSUCH"); } catch ($e) { echo $e->message()[0:31]; }
        echo $redis->command("MULTI"); echo $redis->command("PING"); echo $redis->command("EXEC");`),
    ).toEqual(["Redis: ERR unknown command 'NOS", 'OK', 'QUEUED', '[0=>"PONG"]']);
  });

  test('a wrong password is an exception that does not tell it', async () => {
    const echoes = await run(`import { Redis } from "extras://redis";
      Redis(["port" => ${redis.port}, "password" => "guess-me"])->command("PING");`);
    expect(echoes).toHaveLength(1);
    expect(echoes[0]).toMatch(/^error: Redis: WRONGPASS/);
    expect(echoes[0]).not.toContain('guess-me');
  });

  test('a large value goes both ways', async () => {
    expect(
      await withRedis(`
        $redis->command("SET", "big", "0123456789" * 200000);
        echo $redis->command("GET", "big") === "0123456789" * 200000;`),
    ).toEqual(['true']);
  });
});

test('no server gives none, soon', async () => {
  expect(
    await run(`import { Redis } from "extras://redis"; echo Redis(["port" => 1])->command("PING");`),
  ).toEqual(['none']);
});

test.each([
  ['+OK\r\n', 'OK'],
  ['$-1\r\n', 'none'],
  ['$5\r\nab', 'none'],
  ['$99999999999\r\n', 'none'],
  ['*100000000\r\n', 'none'],
  [`${'*1\r\n'.repeat(60)}:1\r\n`, 'none'],
  ['hello\r\n', 'none'],
  [`+${'x'.repeat(200_000)}`, 'none'],
  ['', 'none'],
])('a server that answers %j gives %s', async (answer, result) => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  try {
    expect(
      await run(`import { Redis } from "extras://redis"; echo Redis(["port" => ${port}])->command("PING");`),
    ).toEqual([result]);
  } finally {
    server.close();
  }
});
