// What SMTP hooks see of the session: $connection, $transaction and $context, built up phase by phase. Here our words
// (reverse path, recipient) meet the words of scripts.
//
// The values are built once and handed to every hook as they are, because a hook is often shorter than the building. They
// are copy-on-write: a script that stores one marks it shared, and what is marked is never written here, only replaced.

import { HslArray, type PredefinedVariable, type Value } from '#lang';
import { type Address, addressToLowerText, addressToValue, stringMapToValue } from '#stdlib';

// --- The variables ------------------------------------------------------------------------------------------------

export const $connection: PredefinedVariable = {
  name: 'connection',
  summary: 'The TCP connection; grows phase by phase.',
  readonly: true,
  keys: {
    id: 'Connection id.',
    priority: 'Priority of the connection: the default for queueing.',
    remoteip: 'Address of the client.',
    remoteport: 'Port of the client.',
    remoteptr: 'Forward-confirmed reverse DNS name of the client; optional.',
    localip: 'Address of the server side.',
    localport: 'Port of the server side.',
    serverid: 'Id of the server.',
    helo: 'Array with `verb` and `host`, once the client has said HELO or EHLO.',
    remoteuid: 'Id of the user at the other end of a UNIX socket; optional.',
    tls: 'Array, only when the session is encrypted: `protocol`, `cipher`, `keysize`, `sni` (optional) and `peercert` (only if the client showed a certificate; array with `x509`, `chain` and `error`, which is 0 when OpenSSL trusts it).',
    earlytalker: 'True when the client said something before it was greeted; absent otherwise.',
    auth: 'Array, once the client has said who it is: `mechanism`, and `username` unless a script gave none.',
  },
};

export const $transaction: PredefinedVariable = {
  name: 'transaction',
  summary: 'The mail transaction; grows phase by phase.',
  readonly: true,
  keys: {
    id: 'Transaction id.',
    ts: 'Unix time of the transaction (eod).',
    sender: 'Envelope sender in lower case, empty for the null sender.',
    senderaddress: 'Array with `localpart` and `domain`, case as sent.',
    senderparams: 'Parameters of MAIL FROM, keys in upper case.',
    recipients: 'Accepted recipients: arrays with `recipient`, `address`, `params`, `transportid`.',
  },
};

export const $context: PredefinedVariable = {
  name: 'context',
  summary: 'Free for the scripts: what one hook leaves here, the next one of the connection finds.',
  readonly: false,
};

/** `$arguments` with the keys of one phase. */
export function argumentsVariable(keys: Readonly<Record<string, string>>): PredefinedVariable {
  return { name: 'arguments', summary: 'What is particular to this hook.', readonly: true, keys };
}

/** The variables of every SMTP phase, in order. */
export function sessionVariables(argumentKeys: Readonly<Record<string, string>>): PredefinedVariable[] {
  return [argumentsVariable(argumentKeys), $connection, $transaction, $context];
}

// --- The state ----------------------------------------------------------------------------------------------------

/** What is known of a connection from the start. */
export interface ConnectionFacts {
  readonly id: string;
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly localIp: string;
  readonly localPort: number;
  readonly serverId: string;
  /** Of the peer on a UNIX socket, where the system tells. */
  readonly remoteUid?: number | undefined;
  /** Who told us the client's address by the PROXY protocol. */
  readonly proxyIp?: string | undefined;
  /** Everything behind the addresses in a PROXY header of version 2, in hex. */
  readonly proxyTlv?: string | undefined;
}

/** What is known of the encryption of a session (hooks 2.1). */
export interface TlsFacts {
  /** As OpenSSL names it: TLSv1.3. */
  readonly protocol: string;
  readonly cipher: string;
  readonly keySize: number | undefined;
  /** The server name that the client asked for. */
  readonly sni: string | undefined;
  /** What the client showed, if it did. */
  readonly peerCertificate: PeerCertificate | undefined;
}

/** The certificate a client showed. */
export interface PeerCertificate {
  /** An X509Resource. */
  readonly x509: Value;
  /** X509Resources of those that vouch for it, nearest first, without itself. */
  readonly chain: readonly Value[];
  /** OpenSSL's verify code; 0 when it is trusted. */
  readonly error: number;
}

/** Who the client is, when it has proved it by AUTH. */
export interface AuthFacts {
  /** In upper case. */
  readonly mechanism: string;
  /** Absent when a script accepted a mechanism of its own without naming anybody. */
  readonly username: string | undefined;
}

/** What a reverse look-up gave: both answers in the shape of `dns_query` (hooks 3). */
export interface ReverseNameFacts {
  /** The name whose address is the client's. */
  readonly confirmed: string | undefined;
  readonly reverse: Value;
  readonly forward: Value;
}

/** An accepted recipient. */
export interface Recipient {
  readonly address: Address;
  readonly transportId: string;
}

/** The script-visible state of one session. */
export class SessionState {
  readonly facts: ConnectionFacts;
  /** The scripts' own; survives RSET and transactions. */
  context: Value = null;
  #remoteIp: string;
  #remotePtr: string | undefined;
  #priority: 0 | 1 = 0;
  #helo: { readonly verb: string; readonly host: string } | undefined;
  #tls: TlsFacts | undefined;
  #auth: AuthFacts | undefined;
  #reverseName: ReverseNameFacts | undefined;
  #isEarlyTalker = false;
  #connectionValue: HslArray | undefined;

  readonly #newId: () => string;
  #transactionId: string | undefined;
  #sender: Address | undefined;
  #senderText = '';
  #recipientValues: HslArray | undefined;
  #transactionValue: HslArray | undefined;

  /** `newId` names transactions; it is asked only when somebody wants the name. */
  constructor(facts: ConnectionFacts, newId: () => string) {
    this.facts = facts;
    this.#remoteIp = facts.remoteIp;
    this.#newId = newId;
  }

  /** The client's address as scripts and the trace field show it. */
  get remoteIp(): string {
    return this.#remoteIp;
  }

  get remotePtr(): string | undefined {
    return this.#remotePtr;
  }

  get priority(): 0 | 1 {
    return this.#priority;
  }

  get helo(): { readonly verb: string; readonly host: string } | undefined {
    return this.#helo;
  }

  /** The encryption of the session; undefined while it is in the clear. */
  get tls(): TlsFacts | undefined {
    return this.#tls;
  }

  /** Who the client has proved to be. */
  get auth(): AuthFacts | undefined {
    return this.#auth;
  }

  /** What the reverse look-up of the client's address gave, if one was made. */
  get reverseName(): ReverseNameFacts | undefined {
    return this.#reverseName;
  }

  /** The client said something before it was greeted. */
  get isEarlyTalker(): boolean {
    return this.#isEarlyTalker;
  }

  get transactionId(): string {
    this.#transactionId ??= this.#newId();
    return this.#transactionId;
  }

  /** What connect's Accept changed. */
  override(changed: { remoteIp?: string; remotePtr?: string; priority?: 0 | 1 }): void {
    const isAnother = changed.remoteIp !== undefined && changed.remoteIp !== this.#remoteIp;
    this.#remoteIp = changed.remoteIp ?? this.#remoteIp;
    // The name that was looked up belongs to the address that was looked up.
    this.#remotePtr = changed.remotePtr ?? (isAnother ? undefined : this.#remotePtr);
    this.#priority = changed.priority ?? this.#priority;
    this.#connectionValue = undefined;
  }

  /** The client has greeted. */
  greeted(verb: string, host: string): void {
    this.#helo = { verb, host };
    this.#connectionValue = undefined;
  }

  /** The session is encrypted from now on: what the client said of itself before is forgotten (RFC 3207 §4.2). */
  secured(tls: TlsFacts): void {
    this.#tls = tls;
    this.#helo = undefined;
    this.#auth = undefined;
    this.#connectionValue = undefined;
  }

  /** AUTH has succeeded. */
  authenticated(auth: AuthFacts): void {
    this.#auth = auth;
    this.#connectionValue = undefined;
  }

  /** The client's address was looked up; comes before the connect script, which may say otherwise. */
  lookedUp(reverseName: ReverseNameFacts): void {
    this.#reverseName = reverseName;
    this.#remotePtr = reverseName.confirmed;
    this.#connectionValue = undefined;
  }

  /** The client did not wait for the greeting. */
  talkedEarly(): void {
    this.#isEarlyTalker = true;
    this.#connectionValue = undefined;
  }

  /** A transaction begins. */
  begin(sender: Address): void {
    this.#sender = sender;
    this.#senderText = addressToLowerText(sender);
    this.#recipientValues = HslArray.empty();
    this.#transactionValue = undefined;
  }

  /** A recipient was accepted. */
  addRecipient(recipient: Recipient): void {
    let values = this.#recipientValues ?? HslArray.empty();
    const whole = this.#transactionValue;
    if (values.shared || whole?.shared === true) {
      // Somebody keeps the list as it was, perhaps inside the whole.
      values = values.clone();
      this.#transactionValue = undefined;
    }
    values.append(recipientToValue(recipient));
    this.#recipientValues = values;
  }

  /** The transaction is over: RSET, end-of-data, or a new HELO. The next one has a new id. */
  endTransaction(): void {
    this.#transactionId = undefined;
    this.#sender = undefined;
    this.#recipientValues = undefined;
    this.#transactionValue = undefined;
  }

  /** `$connection` of the connect hook, where the rest is in `$arguments`. */
  connectionAtConnect(): HslArray {
    const value = HslArray.empty();
    value.set('id', this.facts.id);
    value.set('priority', this.#priority);
    return value;
  }

  /** `$connection` of every later hook. */
  get connection(): HslArray {
    if (this.#connectionValue === undefined) {
      const { id, remotePort, localIp, localPort, serverId } = this.facts;
      const value = HslArray.empty();
      value.set('id', id);
      value.set('priority', this.#priority);
      value.set('remoteip', this.#remoteIp);
      value.set('remoteport', remotePort);
      if (this.#remotePtr !== undefined) value.set('remoteptr', this.#remotePtr);
      value.set('localip', localIp);
      value.set('localport', localPort);
      value.set('serverid', serverId);
      if (this.#helo !== undefined) {
        const helo = HslArray.empty();
        helo.set('verb', this.#helo.verb);
        helo.set('host', this.#helo.host);
        value.set('helo', helo);
      }
      if (this.facts.remoteUid !== undefined) value.set('remoteuid', this.facts.remoteUid);
      if (this.#tls !== undefined) value.set('tls', tlsToValue(this.#tls));
      if (this.#isEarlyTalker) value.set('earlytalker', true);
      if (this.#auth !== undefined) value.set('auth', authToValue(this.#auth));
      this.#connectionValue = value;
    }
    return this.#connectionValue;
  }

  /** `$transaction` as far as it has come. */
  get transaction(): HslArray {
    this.#transactionValue ??= this.#buildTransaction();
    return this.#transactionValue;
  }

  /** `$transaction` of the eod hook, with its time. */
  transactionAtEod(unixSeconds: number): HslArray {
    const value = this.#buildTransaction(unixSeconds);
    this.#transactionValue = value;
    return value;
  }

  #buildTransaction(unixSeconds?: number): HslArray {
    const value = HslArray.empty();
    value.set('id', this.transactionId);
    if (unixSeconds !== undefined) value.set('ts', unixSeconds);
    if (this.#sender !== undefined) {
      value.set('sender', this.#senderText);
      value.set('senderaddress', addressToValue(this.#sender));
      value.set('senderparams', stringMapToValue(this.#sender.params ?? {}));
      value.set('recipients', this.#recipientValues ?? HslArray.empty());
    }
    return value;
  }
}

function recipientToValue({ address, transportId }: Recipient): HslArray {
  const value = HslArray.empty();
  value.set('recipient', addressToLowerText(address));
  value.set('address', addressToValue(address));
  value.set('params', stringMapToValue(address.params ?? {}));
  value.set('transportid', transportId);
  return value;
}

/** `$connection["tls"]`. */
export function tlsToValue({ protocol, cipher, keySize, sni, peerCertificate }: TlsFacts): HslArray {
  const value = HslArray.empty();
  value.set('protocol', protocol);
  value.set('cipher', cipher);
  if (keySize !== undefined) value.set('keysize', keySize);
  if (sni !== undefined) value.set('sni', sni);
  if (peerCertificate !== undefined) {
    const shown = HslArray.empty();
    shown.set('x509', peerCertificate.x509);
    shown.set('chain', HslArray.fromList([...peerCertificate.chain]));
    shown.set('error', peerCertificate.error);
    value.set('peercert', shown);
  }
  return value;
}

function authToValue({ mechanism, username }: AuthFacts): HslArray {
  const value = HslArray.empty();
  value.set('mechanism', mechanism);
  if (username !== undefined) value.set('username', username);
  return value;
}
