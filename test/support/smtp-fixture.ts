// An SMTP server on a free port with a spool in memory, hooks that are functions, and a clock that is pushed forward.

import type {
  Address,
  AuthAttempt,
  AuthOutcome,
  ConnectOutcome,
  EodOutcome,
  HeloOutcome,
  MailFromOutcome,
  ProxyOutcome,
  RcptToOutcome,
  SessionEnding,
  SessionState,
} from '#hooks';
import type { EodMessage, Resolver } from '#stdlib';
import type { SmtpHooks } from '../../src/scripting/smtp-hooks.js';
import { PendingRun } from '../../src/scripting/smtp-hooks.js';
import {
  type SmtpLimits,
  type SmtpServerOptions,
  type SmtpTimeouts,
  smtpDefaults,
} from '../../src/smtp/options.js';
import { SmtpServer } from '../../src/smtp/server.js';
import { Dialogue } from './dialogue.js';
import { RamSpool } from './ram-spool.js';
import { TestLog } from './test-log.js';

type Answer<T> = T | Promise<T>;

/** Hooks as functions; a promise stands for a script that waits. */
export interface HookFunctions {
  connect?: (state: SessionState) => Answer<ConnectOutcome>;
  proxy?: (command: string, state: SessionState) => Answer<ProxyOutcome>;
  auth?: (attempt: AuthAttempt, state: SessionState) => Answer<AuthOutcome>;
  helo?: (
    host: string,
    extensions: readonly string[] | undefined,
    state: SessionState,
  ) => Answer<HeloOutcome>;
  mailfrom?: (sender: Address, state: SessionState) => Answer<MailFromOutcome>;
  rcptto?: (recipient: Address, state: SessionState) => Answer<RcptToOutcome>;
  eod?: (mail: EodMessage, state: SessionState) => Answer<EodOutcome>;
  disconnect?: (ending: SessionEnding, state: SessionState) => void;
}

export interface FixtureOptions extends Partial<Omit<SmtpServerOptions, 'hooks' | 'limits' | 'timeouts'>> {
  readonly hooks?: HookFunctions;
  readonly limits?: Partial<SmtpLimits>;
  readonly timeouts?: Partial<SmtpTimeouts>;
  readonly parts?: { readonly hooks?: SmtpHooks };
  /** Hook ids, when the hooks are real. */
  readonly hookIds?: SmtpServerOptions['hooks'];
  readonly transports?: readonly string[];
  readonly openFiles?: number;
  readonly peerUser?: (descriptor: number) => number | undefined;
  /** For reverse DNS. */
  readonly resolver?: Resolver;
}

export class SmtpFixture {
  readonly spool = new RamSpool();
  readonly log = new TestLog();
  readonly server: SmtpServer;
  readonly cancelled: string[] = [];
  now = 1_700_000_000.5;
  elapsed = 1000;
  #ids = 0;
  #tick: (() => void) | undefined;
  readonly #dialogues: Dialogue[] = [];

  constructor(options: FixtureOptions = {}) {
    const {
      hooks = {},
      limits,
      timeouts,
      parts,
      hookIds,
      transports = ['default', 'other'],
      openFiles,
      peerUser,
      resolver,
      ...rest
    } = options;
    const ids = Object.fromEntries(Object.keys(hooks).map((phase) => [phase, 'test']));
    this.server = new SmtpServer(
      {
        ...smtpDefaults,
        id: 'test',
        hostname: 'mx.argonite.test',
        listeners: [{ address: '127.0.0.1', port: 0 }],
        transportId: 'default',
        ...rest,
        hooks: hookIds ?? ids,
        limits: { ...smtpDefaults.limits, ...limits },
        timeouts: { ...smtpDefaults.timeouts, ...timeouts },
      },
      {
        spool: this.spool,
        hooks: parts?.hooks ?? this.#functionHooks(hooks),
        log: this.log,
        clock: { now: () => this.now, monotonic: () => this.elapsed },
        newId: () => `id-${++this.#ids}`,
        knowsTransport: (id) => transports.includes(id),
        onQueued: () => {},
        openFiles,
        peerUser,
        resolver,
        every: (_seconds, run) => {
          this.#tick = run;
          return () => {
            this.#tick = undefined;
          };
        },
      },
    );
  }

  async start(): Promise<this> {
    await this.server.start();
    return this;
  }

  get port(): number {
    return this.server.addresses[0]!.port;
  }

  /** Seconds go by, and the server looks at its deadlines. */
  pass(seconds: number): void {
    this.elapsed += seconds;
    this.now += seconds;
    this.#tick?.();
  }

  async dial(options?: { localAddress?: string }): Promise<Dialogue> {
    const dialogue = await Dialogue.open(this.port, options);
    this.#dialogues.push(dialogue);
    return dialogue;
  }

  /** A whole transcript on a connection of its own. */
  async play(transcript: string): Promise<Dialogue> {
    const dialogue = await this.dial();
    await dialogue.play(transcript);
    return dialogue;
  }

  /** The queued copies so far, as text, trace field taken off. */
  get messages(): string[] {
    return this.spool.committed.flatMap(({ copies }) =>
      copies.map((copy) => copy.toString('latin1').replace(/^Received: .*\r\n(?:\t.*\r\n)*/, '')),
    );
  }

  async stop(): Promise<void> {
    for (const dialogue of this.#dialogues) dialogue.close();
    const stopped = this.server.stop(0);
    this.pass(1);
    await stopped;
  }

  #functionHooks(hooks: HookFunctions): SmtpHooks {
    const run = <T>(answer: Answer<T>): T | PendingRun<T> =>
      answer instanceof Promise ? new PendingRun(answer, (reason) => this.cancelled.push(reason)) : answer;
    return {
      connect: (_id, state) => run(hooks.connect!(state)),
      helo: (_id, state, _verb, host, extensions) => run(hooks.helo!(host, extensions, state)),
      proxy: (_id, state, command) => run(hooks.proxy!(command, state)),
      auth: (_id, state, attempt) => run(hooks.auth!(attempt, state)),
      mailfrom: (_id, state, sender) => run(hooks.mailfrom!(sender, state)),
      rcptto: (_id, state, recipient) => run(hooks.rcptto!(recipient, state)),
      eod: (_id, state, frame) => run(hooks.eod!(frame.mail, state)),
      disconnect: (_id, state, ending) => {
        hooks.disconnect!(ending, state);
        return { kind: 'Pass' };
      },
    };
  }
}

/** What a test asserts on needs time to happen: waits until it does. */
export async function until(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000; turn++) {
    if (isTrue()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('it did not happen');
}
