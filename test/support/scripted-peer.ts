// A small SMTP or LMTP server on a raw socket that says exactly what a test wants: it answers by verb, or misbehaves. It is
// not built on our own code, and it takes the client's bytes apart in the plainest way there is.
//
//   const peer = await startPeer(t, { RCPT: '550 5.1.1 no such user', EOD: 'reset' });
//   ... deliver to 127.0.0.1, peer.port ...
//   peer.commands  // ['EHLO client.test', 'MAIL FROM:<a@a.test>', ...]
//   peer.messages  // the bytes between 354 and the final dot, unstuffed

import { createServer, type Server, type Socket } from 'node:net';

/** Where an answer is due. BANNER is the greeting, EOD the reply to the message, BODY the moment after 354 was said. */
export type PeerState =
  | 'BANNER'
  | 'EHLO'
  | 'HELO'
  | 'LHLO'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  | 'BODY'
  | 'EOD'
  | 'RSET'
  | 'NOOP'
  | 'QUIT';

/** Ways to end a dialogue without an answer. */
export type Misdeed = 'close' | 'reset' | 'silence';

/**
 * What the peer does: a reply (lines joined by `\n`; CRLF is added), raw bytes, or a misdeed. `close` ends the connection
 * in order, `reset` with RST, `silence` never answers anything again. `next` does one of these after the raw bytes.
 */
export type PeerAnswer = string | Misdeed | { readonly raw: string | Buffer; readonly next?: Misdeed };

/** Answers by state; a list is used up one by one over all connections, its last entry stays. */
export type PeerScript = Partial<Record<PeerState, PeerAnswer | readonly PeerAnswer[]>>;

/** A running peer and what it saw. */
export interface ScriptedPeer {
  readonly port: number;
  /** Command lines of all connections in order of arrival, without CRLF, one character per byte. */
  readonly commands: string[];
  /** Complete messages with dot-stuffing taken out. */
  readonly messages: Buffer[];
  /** The bytes of each read, to see what came in one packet. */
  readonly reads: string[];
  /** Connections accepted so far. */
  readonly connections: number;
  /** Connections open now. */
  readonly open: number;
  /** Resolves when the condition holds; asked again after everything that happens. */
  until(condition: (peer: ScriptedPeer) => boolean): Promise<void>;
  /** Writes raw bytes to every open connection; resolves when they are out. */
  say(raw: string): Promise<void>;
  /** Closes the open connections from the peer's side. */
  hangUp(): void;
  close(): Promise<void>;
}

/** Something with an end, as vitest's test context has it. */
export interface Lifetime {
  onTestFinished(run: () => Promise<void>): void;
}

const defaults: Record<PeerState, PeerAnswer> = {
  BANNER: '220 peer.test ESMTP',
  EHLO: '250 peer.test\nPIPELINING\n8BITMIME\nSIZE 0',
  HELO: '250 peer.test',
  LHLO: '250 peer.test\nPIPELINING\n8BITMIME',
  MAIL: '250 2.1.0 ok',
  RCPT: '250 2.1.5 ok',
  DATA: '354 go ahead',
  BODY: '',
  EOD: '250 2.0.0 taken',
  RSET: '250 2.0.0 ok',
  NOOP: '250 2.0.0 ok',
  QUIT: '221 2.0.0 bye',
};

/** Starts a peer on a free port of 127.0.0.1; it ends with the test. */
export async function startPeer(t: Lifetime, script: PeerScript = {}): Promise<ScriptedPeer> {
  const used = new Map<PeerState, number>();
  const answerFor = (state: PeerState): PeerAnswer => {
    const answers = script[state] ?? defaults[state];
    if (!Array.isArray(answers)) return answers as PeerAnswer;
    const index = used.get(state) ?? 0;
    used.set(state, index + 1);
    return (answers[Math.min(index, answers.length - 1)] ?? defaults[state]) as PeerAnswer;
  };

  const sockets = new Set<Socket>();
  let waiting: { condition: (peer: ScriptedPeer) => boolean; resolve: () => void }[] = [];
  let connections = 0;
  const changed = () => {
    const met = waiting.filter(({ condition }) => condition(peer));
    waiting = waiting.filter((entry) => !met.includes(entry));
    for (const { resolve } of met) resolve();
  };

  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      changed();
    });
    socket.on('error', () => {});
    socket.setNoDelay(true);
    converse(socket, answerFor, peer, changed);
    changed();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const peer: ScriptedPeer = {
    port: portOf(server),
    commands: [],
    messages: [],
    reads: [],
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size;
    },
    until: (condition) =>
      condition(peer)
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.push({ condition, resolve });
          }),
    say: async (raw) => {
      for (const socket of sockets) await new Promise((resolve) => socket.write(raw, resolve));
    },
    hangUp: () => {
      for (const socket of sockets) socket.end();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  t.onTestFinished(() => peer.close());
  return peer;
}

/** Takes the client's bytes as they come and answers each command in turn. */
function converse(
  socket: Socket,
  answerFor: (state: PeerState) => PeerAnswer,
  peer: ScriptedPeer,
  changed: () => void,
): void {
  let pending = '';
  let isInMessage = false;
  let isMute = false;

  const misbehave = (misdeed: Misdeed) => {
    isMute = true;
    if (misdeed === 'close') socket.end();
    if (misdeed === 'reset') socket.resetAndDestroy();
  };

  const answer = (state: PeerState): PeerAnswer => {
    const what = answerFor(state);
    if (isMute || what === '') return what;
    if (typeof what !== 'string') {
      socket.write(what.raw, () => what.next && misbehave(what.next));
      isMute = what.next !== undefined;
    } else if (what === 'silence' || what === 'close' || what === 'reset') misbehave(what);
    else socket.write(replyBytes(what), 'latin1');
    return what;
  };

  const takeMessage = (): boolean => {
    const end = pending.startsWith('.\r\n') ? 0 : pending.indexOf('\r\n.\r\n');
    if (end === -1) return false;
    const stuffed = pending.startsWith('.\r\n') ? '' : pending.slice(0, end + 2);
    pending = pending.slice(stuffed.length + 3);
    peer.messages.push(Buffer.from(stuffed.replace(/(^|\r\n)\./g, '$1'), 'latin1'));
    isInMessage = false;
    answer('EOD');
    return true;
  };

  const takeCommand = (): boolean => {
    const end = pending.indexOf('\r\n');
    if (end === -1) return false;
    const line = pending.slice(0, end);
    pending = pending.slice(end + 2);
    peer.commands.push(line);
    const verb = line.split(' ', 1)[0]?.toUpperCase() ?? '';
    if (!(verb in defaults)) {
      if (!isMute) socket.write('500 5.5.2 what?\r\n');
      return true;
    }
    const said = answer(verb as PeerState);
    if (verb === 'DATA' && typeof said === 'string' && said.startsWith('354')) {
      isInMessage = true;
      answer('BODY');
    }
    if (verb === 'QUIT') socket.end();
    return true;
  };

  socket.on('data', (chunk: Buffer) => {
    peer.reads.push(chunk.toString('latin1'));
    pending += chunk.toString('latin1');
    while (isInMessage ? takeMessage() : takeCommand()) changed();
    changed();
  });
  answer('BANNER');
}

function replyBytes(text: string): string {
  const lines = text.split('\n');
  const code = lines[0]?.slice(0, 3) ?? '';
  return lines
    .map((line, index) => {
      const separator = index === lines.length - 1 ? ' ' : '-';
      return `${code}${separator}${index === 0 ? line.slice(4) : line}\r\n`;
    })
    .join('');
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the peer has no TCP port');
  return address.port;
}
