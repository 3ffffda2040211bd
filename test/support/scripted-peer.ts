// A small SMTP or LMTP server on a raw socket that says exactly what a test wants: it answers by verb, or misbehaves. It is
// not built on our own code, and it takes the client's bytes apart in the plainest way there is.
//
//   const peer = await startPeer(t, { RCPT: '550 5.1.1 no such user', EOD: 'reset' });
//   ... deliver to 127.0.0.1, peer.port ...
//   peer.commands  // ['EHLO client.test', 'MAIL FROM:<a@a.test>', ...]
//   peer.messages  // the bytes between 354 and the final dot, unstuffed, or of all chunks
//
// A chunk that is not the last is answered as BDAT, the last as EOD. After a chunk that was refused there is no message
// until RSET.
//
// With a certificate it speaks TLS after a 220 to STARTTLS; a line after 334 is answered as AUTH_STEP.

import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';

/**
 * Where an answer is due. BANNER is the greeting, EOD the reply to the message, BODY the moment after 354 was said,
 * HANDSHAKE the moment the client begins TLS (what stands there comes in place of a handshake).
 */
export type PeerState =
  | 'BANNER'
  | 'EHLO'
  | 'HELO'
  | 'LHLO'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  | 'BODY'
  | 'BDAT'
  | 'EOD'
  | 'RSET'
  | 'NOOP'
  | 'QUIT'
  | 'STARTTLS'
  | 'HANDSHAKE'
  | 'AUTH'
  | 'AUTH_STEP'
  | 'XCLIENT';

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
  /** The bytes of each chunk. */
  readonly chunks: Buffer[];
  /** The bytes of each read, to see what came in one packet. */
  readonly reads: string[];
  /** Server names asked for and certificates shown in TLS handshakes, in order. */
  readonly handshakes: { readonly servername: string | undefined; readonly client: string | undefined }[];
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

/** How it speaks TLS. */
export type PeerTls = SecureContextOptions & {
  readonly requestCert?: boolean;
  /** From the first byte, before the greeting. */
  readonly isImplicit?: boolean;
};

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
  BDAT: '250 2.0.0 more',
  EOD: '250 2.0.0 taken',
  RSET: '250 2.0.0 ok',
  NOOP: '250 2.0.0 ok',
  QUIT: '221 2.0.0 bye',
  STARTTLS: '220 2.0.0 go ahead',
  HANDSHAKE: '',
  AUTH: '235 2.7.0 welcome',
  AUTH_STEP: '235 2.7.0 welcome',
  XCLIENT: '220 peer.test ESMTP',
};

/** Starts a peer on a free port of 127.0.0.1; it ends with the test. */
export async function startPeer(t: Lifetime, script: PeerScript = {}, tls?: PeerTls): Promise<ScriptedPeer> {
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
    converse(socket, answerFor, peer, changed, tls);
    changed();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const peer: ScriptedPeer = {
    port: portOf(server),
    commands: [],
    messages: [],
    chunks: [],
    reads: [],
    handshakes: [],
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
  plain: Socket,
  answerFor: (state: PeerState) => PeerAnswer,
  peer: ScriptedPeer,
  changed: () => void,
  tls: PeerTls | undefined,
): void {
  let socket = plain;
  let isInAuth = false;
  let pending = '';
  let isInMessage = false;
  // Of the chunk that is coming: how long it is, and whether it is the last.
  let coming: { readonly bytes: number; readonly isLast: boolean } | undefined;
  let gathered: Buffer[] | undefined = [];
  let isMute = false;

  const misbehave = (misdeed: Misdeed) => {
    isMute = true;
    if (misdeed === 'close') socket.end();
    if (misdeed === 'reset') plain.resetAndDestroy();
  };

  const answer = (state: PeerState): PeerAnswer => perform(answerFor(state));
  const perform = (what: PeerAnswer): PeerAnswer => {
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

  const takeChunk = (): boolean => {
    if (coming === undefined || pending.length < coming.bytes) return false;
    const bytes = Buffer.from(pending.slice(0, coming.bytes), 'latin1');
    const { isLast } = coming;
    pending = pending.slice(bytes.length);
    coming = undefined;
    peer.chunks.push(bytes);
    const said =
      gathered === undefined ? perform('503 5.5.1 no transaction') : answer(isLast ? 'EOD' : 'BDAT');
    const isTaken = typeof said === 'string' && said.startsWith('2');
    if (isTaken) gathered?.push(bytes);
    if (isTaken && isLast) peer.messages.push(Buffer.concat(gathered ?? []));
    gathered = isTaken && !isLast ? gathered : isTaken ? [] : undefined;
    return true;
  };

  const takeCommand = (): boolean => {
    const end = pending.indexOf('\r\n');
    if (end === -1) return false;
    const line = pending.slice(0, end);
    pending = pending.slice(end + 2);
    peer.commands.push(line);
    const bdat = /^BDAT (\d+)( LAST)?$/i.exec(line);
    if (bdat !== null) {
      coming = { bytes: Number(bdat[1]), isLast: bdat[2] !== undefined };
      return true;
    }
    if (line === 'RSET') gathered = [];
    const verb = isInAuth ? 'AUTH_STEP' : (line.split(' ', 1)[0]?.toUpperCase() ?? '');
    if (!(verb in defaults)) {
      if (!isMute) socket.write('500 5.5.2 what?\r\n');
      return true;
    }
    const said = answer(verb as PeerState);
    if (verb === 'DATA' && typeof said === 'string' && said.startsWith('354')) {
      isInMessage = true;
      answer('BODY');
    }
    isInAuth = typeof said === 'string' && said.startsWith('334');
    if (verb === 'STARTTLS' && typeof said === 'string' && said.startsWith('220')) beginTls();
    if (verb === 'QUIT') socket.end();
    return true;
  };

  const read = (chunk: Buffer) => {
    peer.reads.push(chunk.toString('latin1'));
    pending += chunk.toString('latin1');
    while (coming !== undefined ? takeChunk() : isInMessage ? takeMessage() : takeCommand()) changed();
    changed();
  };

  const beginTls = () => {
    plain.removeAllListeners('data');
    const instead = answerFor('HANDSHAKE');
    if (instead !== '' || tls === undefined) {
      plain.once('data', () => perform(instead));
      return;
    }
    const secured = new TLSSocket(plain, {
      isServer: true,
      secureContext: createSecureContext(tls),
      requestCert: tls.requestCert ?? false,
      rejectUnauthorized: false,
      SNICallback: (_name, chosen) => chosen(null),
    });
    secured.on('error', () => {});
    secured.on('data', read);
    secured.once('secure', () => {
      peer.handshakes.push({
        servername: secured.servername || undefined,
        client: secured.getPeerCertificate()?.subject?.CN as string | undefined,
      });
      changed();
    });
    socket = secured;
  };

  if (tls?.isImplicit === true) beginTls();
  else socket.on('data', read);
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
