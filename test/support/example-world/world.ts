// The small world in which the examples of the manual are run: a clock that moves only when a script sleeps, a zone, a
// few servers on loopback, files, keys, a message. stdlib/README.md lists it; each example gets a world of its own.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { environmentOf, type Phase } from '#hooks';
import { compile, type Environment, type ExecutionResult, execute, HslObject, type RunHost } from '#lang';
import {
  bytesToSource,
  createLocalServices,
  EODMailMessage,
  EodMessage,
  type LibraryServices,
  MailDocument,
  MailMessage,
  MessageState,
} from '#stdlib';
import { InLineClient } from '../../../src/delivery/in-line-client.js';
import { createRunHost } from '../../../src/scripting/host/index.js';
import { nativeServices } from '../native-services.js';
import { catalogEnvironment, createCompileHost } from '../script-host.js';
import type { ExampleScript } from './example.js';
import { fileContent, files, message } from './files.js';
import { type AnyOutcome, describeOutcome, type PhaseRun, phaseRun } from './hooks.js';
import { certificate, ecKey, ed25519Key, rsaKey } from './keys.js';
import { type RunningServer, servers } from './servers.js';
import { zoneResolver } from './zone.js';

/** 2026-01-02 03:04:05 UTC, a Friday. */
export const START = 1_767_323_045;

/** What tests put in place of parts that are made elsewhere (metrics, the mail client, …). */
export type WorldParts = (clock: RunHost['clock']) => Partial<LibraryServices>;

/** Servers are started when the first example names their port, and serve all examples. */
export class ExampleWorld {
  readonly #running = new Map<string, Promise<RunningServer>>();
  readonly #parts: WorldParts;

  constructor(parts: WorldParts = () => ({})) {
    this.#parts = parts;
  }

  /**
   * Runs one example; `phase` eod makes `$mail` the message of that hook.
   * @returns what it echoed; a failure is a line that begins with `error: `
   */
  async run(example: ExampleScript, phase?: 'eod'): Promise<string[]> {
    const { echoes, result } = await this.#execute(example.script, environmentWithMail(phase), {
      variables: [mailOf(phase)],
      frame: undefined,
    });
    if (result?.kind === 'failed') echoes.push(`error: ${result.error.message}`);
    return echoes;
  }

  /** Runs an example of an action, or of a function that only this phase has. @returns what it echoed, and how it ended */
  async runHook(phase: Phase, name: string, script: string): Promise<{ echoes: string[]; end: string }> {
    const environment = environmentOf(phase, catalogEnvironment().declarations.values());
    const { echoes, result } = await this.#execute(script, environment, phaseRun(phase.name, name));
    switch (result?.kind) {
      case undefined:
      case 'cancelled':
        return { echoes, end: 'nothing' };
      case 'failed':
        return { echoes, end: `error: ${result.error.message}` };
      case 'finished':
        return { echoes, end: 'the end of the script' };
      case 'ended':
        return { echoes, end: describeOutcome(phase, result.outcome as AnyOutcome) };
    }
  }

  async #execute(
    text: string,
    environment: Environment,
    { variables, frame }: PhaseRun,
  ): Promise<{ echoes: string[]; result: ExecutionResult | undefined }> {
    const { script, back } = await this.#withRealPorts(text);
    const { program, diagnostics } = await compile(
      { name: 'example.hsl', text: script },
      environment,
      createCompileHost(files),
    );
    if (program === undefined)
      return { echoes: diagnostics.map(({ message: problem }) => `error: ${problem}`), result: undefined };
    const echoes: string[] = [];
    const clock = new StandingClock();
    const result = await execute(program, {
      host: {
        ...createRunHost({ echo: (line) => echoes.push(back(line)), clock, random: seeded() }),
        after: () => () => {},
      },
      services: { ...createLocalServices({ ...this.#ownServices(clock), ...this.#parts(clock) }), frame },
      variables,
    }).run();
    return { echoes, result };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.values()].map(async (server) => (await server).close()));
  }

  /** The ports of the servers that the text names, replaced by those they listen on; `back` undoes it. */
  async #withRealPorts(text: string): Promise<{ script: string; back: (line: string) => string }> {
    let script = text;
    const pairs: [string, string][] = [];
    for (const [port, start] of Object.entries(servers)) {
      const written = new RegExp(`\\b${port}\\b`, 'g');
      if (!written.test(text)) continue;
      let server = this.#running.get(port);
      if (server === undefined) {
        server = start();
        this.#running.set(port, server);
      }
      const real = String((await server).port);
      script = script.replace(written, real);
      pairs.push([real, port]);
    }
    return {
      script,
      back: (line) => pairs.reduce((found, [real, port]) => found.replaceAll(real, port), line),
    };
  }

  #ownServices(clock: StandingClock): Partial<LibraryServices> {
    const chain = [new X509Certificate(certificate)];
    const keys: Readonly<Record<string, string>> = {
      example: rsaKey,
      'example-ed25519': ed25519Key,
      'example-ec': ecKey,
    };
    return {
      native: nativeServices(),
      servers: {
        connections: (id, from) => (id !== 'in' ? undefined : from === undefined ? 3 : 2),
      },
      hostname: () => 'mx.example.com',
      timeZone: () => 'UTC',
      syslog: () => {},
      sleep: async (seconds) => clock.advance(seconds),
      network: {
        resolver: zoneResolver,
        mailClient: new InLineClient({ hostname: () => 'mx.example.com' }),
        backgroundRequests: { add: () => true },
        submission: {
          submit: async () => ({ transaction: '18c3a5e2-0000-4000-8000-000000000001', queue: 1 }),
        },
      },
      configured: {
        key: (id) => {
          const pem = keys[id.replace(/^pki:/, '')];
          if (pem === undefined) return undefined;
          return { key: createPrivateKey(pem), certificates: pem === rsaKey ? chain : [] };
        },
        authorities: (id) => (id === 'example' ? chain : undefined),
        address: (id) => (id === 'local' ? { address: '127.0.0.1', hostname: 'mx.example.com' } : undefined),
        knowsTransport: (id) => id === 'outbound',
        file: async (name) => fileContent(name.replace(/^file:\/\//, '')),
      },
    };
  }
}

class StandingClock {
  #passed = 0;

  now(): number {
    return START + this.#passed;
  }

  monotonic(): number {
    return 1000 + this.#passed;
  }

  advance(seconds: number): void {
    this.#passed += seconds;
  }
}

/** The same numbers for every example. */
function seeded(): RunHost['random'] {
  let state = 42;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
  return {
    number: () => next() / 2 ** 32,
    bytes: (count) => Array.from({ length: count }, () => String.fromCharCode(next() >>> 24)).join(''),
  };
}

function environmentWithMail(phase: 'eod' | undefined): Environment {
  const library = catalogEnvironment();
  const declarations = new Map(library.declarations);
  if (phase === 'eod') declarations.set(EODMailMessage.name, EODMailMessage);
  return {
    ...library,
    declarations,
    variables: [{ name: 'mail', summary: 'The message of the examples.', readonly: false }],
  };
}

function mailOf(phase: 'eod' | undefined): HslObject {
  const document = new MailDocument(bytesToSource(Buffer.from(message, 'latin1')));
  if (phase === undefined) return new HslObject(MailMessage, undefined, new MessageState(document));
  const transaction = {
    id: '18c3a5e2-0000-4000-8000-000000000001',
    priority: 0 as const,
    knowsTransport: (id: string) => id === 'outbound',
  };
  return new HslObject(EODMailMessage, undefined, new EodMessage(document, transaction));
}
