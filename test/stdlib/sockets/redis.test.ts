// A real server that is spoken to over a bare Socket.

import { spawn } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { runNetworkScript } from '../../support/network-script.js';
import {
  freePort,
  peerEnvironment,
  peerProgram,
  skipReason,
  stopChild,
  untilListening,
} from '../../support/peers.js';

const reason = skipReason('redis-server');

test.skipIf(reason !== undefined)(
  `redis-server answers what a Socket says${reason ? ` (${reason})` : ''}`,
  async () => {
    const port = await freePort();
    const child = spawn(
      peerProgram('redis-server'),
      ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no'],
      { env: peerEnvironment(), stdio: 'ignore' },
    );
    onTestFinished(() => stopChild(child));
    await untilListening(port, child);
    const { echoes } = await runNetworkScript(`
    $s = Socket("AF_INET", "SOCK_STREAM");
    $s->settimeout(5);
    $s->connect("127.0.0.1", ${port});
    $s->send("PING\\r\\n");
    echo $s->recv(7, "MSG_WAITALL") === "+PONG\\r\\n";
    $value = random_bytes(300000);
    $s->send("*3\\r\\n$3\\r\\nSET\\r\\n$1\\r\\nk\\r\\n$" . length($value) . "\\r\\n" . $value . "\\r\\n");
    echo $s->recv(5, "MSG_WAITALL") === "+OK\\r\\n";
    $s->send("GET k\\r\\n");
    echo $s->recv(9, "MSG_WAITALL") === "$300000\\r\\n";
    echo $s->recv(300000, "MSG_WAITALL") === $value;
  `);
    expect(echoes).toEqual(['true', 'true', 'true', 'true']);
  },
);
