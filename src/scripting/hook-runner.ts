// Runs hooks: one fresh execution for each event, on the programs of the configuration that is current when it starts. A
// reload swaps the whole set at once; what is running finishes on the old.
//
// A run never rejects and never throws for a script's fault: it is logged with its place, counted, and becomes the
// outcome that the phase lays down for script errors (hooks/*.ts, `onScriptError`).

import {
  type Address,
  type AuthAttempt,
  type AuthOutcome,
  auth,
  authArguments,
  type ConnectOutcome,
  connect,
  connectArguments,
  disconnect,
  disconnectArguments,
  type EodFrame,
  type EodOutcome,
  eod,
  eodArguments,
  type HeloOutcome,
  type HookFrame,
  helo,
  heloArguments,
  type MailFromOutcome,
  type MessageFacts,
  type MessageFiles,
  mailfrom,
  mailfromArguments,
  messageToValue,
  metadataChange,
  type PassOutcome,
  type Phase,
  type PostdeliveryFacts,
  type PostdeliveryOutcome,
  type PredeliveryDecision,
  type PredeliveryOutcome,
  type ProxyOutcome,
  postdelivery,
  postdeliveryArguments,
  predelivery,
  predeliveryArguments,
  proxy,
  proxyArguments,
  queueFrame,
  type RcptToOutcome,
  rcptto,
  rcpttoArguments,
  type SessionEnding,
  type SessionState,
} from '#hooks';
import {
  bytesToText,
  type Execution,
  type ExecutionResult,
  execute,
  HslArray,
  type Limits,
  type ScriptError,
  stackLine,
  type Value,
} from '#lang';
import type { LibraryServices } from '#stdlib';
import type { Logger } from '../log/logger.js';
import type { HookPrograms } from './hook-programs.js';
import { type HookBase, HookHost, HookRunServices, type RunIdentity } from './run-surroundings.js';
import { PendingRun, type Run, type SmtpHooks } from './smtp-hooks.js';

/** How often a script ran and failed, since the process started. */
export interface ScriptCount {
  runs: number;
  errors: number;
}

/** What statistics say of the runs of a phase; a run begins at once, so that none ever waits for its turn. */
export interface PhaseCount {
  running: number;
  readonly pending: 0;
  finished: number;
  errors: number;
}

/** What all runners of a process count together. */
interface RunCounts {
  readonly byScript: Map<string, ScriptCount>;
  /** By server, '' for the queue, and by phase. */
  readonly byServer: Map<string, Map<string, PhaseCount>>;
}

/** What the runner is given. */
export interface HookRunnerParts {
  readonly host: HookBase;
  readonly services: LibraryServices;
  readonly log: Logger;
  readonly programs: HookPrograms;
  readonly limits: Limits;
  /** A queued message as files; scripts of the queue have none when absent. */
  readonly files?: (id: MessageFacts['id']) => MessageFiles;
  /** Of a runner beside: scripts of all configurations are counted together. */
  readonly counts?: RunCounts;
}

/** One run, before it is started. */
interface Event<Outcome> {
  readonly phase: Phase<Outcome>;
  /** `phase/id`. */
  readonly script: string;
  /** The server whose session it is; '' for the queue. */
  readonly serverId: string;
  readonly transaction: string;
  readonly variables: readonly (Value | undefined)[];
  readonly frame: HookFrame | undefined;
  /** Sees the execution when it is over and was not cancelled. */
  readonly keep: ((execution: Execution) => void) | undefined;
}

export class HookRunner implements SmtpHooks {
  readonly #host: HookBase;
  readonly #services: LibraryServices;
  readonly #log: Logger;
  readonly #files: HookRunnerParts['files'];
  readonly #counts: RunCounts;
  #programs: HookPrograms;
  #limits: Limits;

  constructor(parts: HookRunnerParts) {
    this.#host = parts.host;
    this.#services = parts.services;
    this.#log = parts.log;
    this.#programs = parts.programs;
    this.#limits = parts.limits;
    this.#files = parts.files;
    this.#counts = parts.counts ?? { byScript: new Map(), byServer: new Map() };
  }

  /** A runner for another configuration beside this one; only what runs is counted together. */
  beside(parts: Omit<HookRunnerParts, 'counts' | 'files'>): HookRunner {
    const files = this.#files;
    return new HookRunner({ ...parts, counts: this.#counts, ...(files && { files }) });
  }

  /** Everything that starts from now on runs on these programs. */
  replace(programs: HookPrograms, limits: Limits): void {
    this.#programs = programs;
    this.#limits = limits;
  }

  /** Runs and errors by script, keyed `phase/id`. */
  get counts(): ReadonlyMap<string, Readonly<ScriptCount>> {
    return this.#counts.byScript;
  }

  /** By phase, of the scripts of a server. */
  readonly countsOfServer = (serverId: string): ReadonlyMap<string, Readonly<PhaseCount>> =>
    this.#counts.byServer.get(serverId) ?? new Map();

  /** The same of the scripts of the queue. */
  get countsOfQueue(): ReadonlyMap<string, Readonly<PhaseCount>> {
    return this.countsOfServer('');
  }

  // --- Sessions -----------------------------------------------------------------------------------------------------

  connect(id: string, state: SessionState): Run<ConnectOutcome> {
    return this.#runForSession(connect, id, state, connectArguments(state), state.connectionAtConnect());
  }

  proxy(id: string, state: SessionState, command: string): Run<ProxyOutcome> {
    return this.#runForSession(proxy, id, state, proxyArguments(command));
  }

  helo(
    id: string,
    state: SessionState,
    verb: string,
    host: string,
    extensions: readonly string[] | undefined,
  ): Run<HeloOutcome> {
    return this.#runForSession(helo, id, state, heloArguments(verb, host, extensions));
  }

  auth(id: string, state: SessionState, attempt: AuthAttempt): Run<AuthOutcome> {
    return this.#runForSession(auth, id, state, authArguments(attempt));
  }

  mailfrom(id: string, state: SessionState, sender: Address): Run<MailFromOutcome> {
    return this.#runForSession(mailfrom, id, state, mailfromArguments(sender));
  }

  rcptto(
    id: string,
    state: SessionState,
    recipient: Address,
    transportId: string | undefined,
  ): Run<RcptToOutcome> {
    return this.#runForSession(rcptto, id, state, rcpttoArguments(recipient, transportId));
  }

  eod(id: string, state: SessionState, frame: EodFrame, unixSeconds: number): Run<EodOutcome> {
    const transaction = state.transactionAtEod(unixSeconds);
    return this.#runForSession(eod, id, state, eodArguments(frame), state.connection, transaction, frame);
  }

  disconnect(id: string, state: SessionState, ending: SessionEnding): Run<PassOutcome> {
    // `$transaction` is an empty array here (hooks 11).
    state.endTransaction();
    return this.#runForSession(
      disconnect,
      id,
      state,
      disconnectArguments(ending),
      state.connection,
      HslArray.empty(),
    );
  }

  #runForSession<Outcome>(
    phase: Phase<Outcome>,
    id: string,
    state: SessionState,
    args: HslArray,
    connection = state.connection,
    transaction = state.transaction,
    frame?: HookFrame,
  ): Run<Outcome> {
    return this.#run({
      phase,
      script: `${phase.name}/${id}`,
      serverId: state.facts.serverId,
      transaction: state.transactionId,
      variables: [args, connection, transaction, state.context],
      frame,
      keep: (execution) => {
        state.context = execution.variable('context') ?? null;
      },
    });
  }

  // --- The queue ----------------------------------------------------------------------------------------------------

  /** Decides about an attempt. What the script leaves in `$context` is for `postdelivery` of the same attempt. */
  predelivery(message: MessageFacts): PredeliveryOutcome | Promise<PredeliveryOutcome> {
    if (!this.#programs.has('predelivery')) return { kind: 'Try', options: {}, context: undefined };
    const frame = queueFrame(message.metadata, false);
    let context: Value | undefined = null;
    const run = this.#run({
      phase: predelivery,
      script: 'predelivery',
      serverId: '',
      transaction: message.id.transaction,
      variables: [predeliveryArguments(message.retry), this.#messageOf(message), null],
      frame,
      keep: (execution) => {
        context = execution.variable('context') ?? null;
      },
    });
    const complete = (decision: PredeliveryDecision): PredeliveryOutcome => {
      const whole = this.#withMetadata(predelivery, decision, frame);
      return whole.kind === 'Queue' ? whole : { ...whole, context };
    };
    return run instanceof PendingRun ? run.outcome.then(complete) : complete(run);
  }

  /** Decides what becomes of a message. `context` is what predelivery gave; undefined when it did not run. */
  postdelivery(
    message: MessageFacts,
    facts: PostdeliveryFacts,
    context: unknown,
  ): PostdeliveryOutcome | Promise<PostdeliveryOutcome> {
    if (!this.#programs.has('postdelivery')) return postdelivery.atEndOfScript;
    const frame = queueFrame(message.metadata, facts.action === undefined);
    const run = this.#run({
      phase: postdelivery,
      script: 'postdelivery',
      serverId: '',
      transaction: message.id.transaction,
      variables: [postdeliveryArguments(facts), this.#messageOf(message), context as Value | undefined],
      frame,
      keep: undefined,
    });
    const complete = (outcome: PostdeliveryOutcome) => this.#withMetadata(postdelivery, outcome, frame);
    return run instanceof PendingRun ? run.outcome.then(complete) : complete(run);
  }

  #messageOf(message: MessageFacts): HslArray {
    return messageToValue(message, this.#files?.(message.id));
  }

  /** A script that ended without an action keeps what SetMetaData said; one that failed does not. */
  #withMetadata<Outcome extends object>(
    phase: Phase<Outcome>,
    outcome: Outcome,
    frame: ReturnType<typeof queueFrame>,
  ): Outcome {
    return outcome === phase.atEndOfScript && outcome !== phase.onScriptError
      ? { ...outcome, ...metadataChange(frame) }
      : outcome;
  }

  // --- One run ------------------------------------------------------------------------------------------------------

  #run<Outcome>(event: Event<Outcome>): Run<Outcome> {
    const found = this.#programs.get(event.script);
    const identity: RunIdentity = { transaction: event.transaction, script: event.script };
    if (found === undefined) {
      this.#log.error(identity, `the script ${event.script} is not in the configuration`);
      return event.phase.onScriptError;
    }
    const count = this.#countOf(event.script);
    count.runs++;
    const phaseCount = this.#phaseCountOf(event.serverId, event.phase.name);
    phaseCount.running++;
    const execution = execute(found.program, {
      host: new HookHost(this.#host, this.#log, identity),
      limits: this.#limits,
      variables: event.variables,
      services: new HookRunServices(this.#services, event.frame, identity),
    });
    const settle = (result: ExecutionResult): Outcome => {
      phaseCount.running--;
      phaseCount.finished++;
      if (result.kind === 'failed') phaseCount.errors++;
      return this.#settle(event, identity, count, execution, result);
    };
    const crashed = (error: unknown): Outcome => {
      phaseCount.running--;
      phaseCount.finished++;
      phaseCount.errors++;
      count.errors++;
      this.#log.error({ ...identity, err: error }, 'internal error while a script ran');
      return event.phase.onScriptError;
    };
    let result: ExecutionResult | Promise<ExecutionResult>;
    try {
      result = execution.run();
    } catch (error) {
      return crashed(error);
    }
    if (!(result instanceof Promise)) return settle(result);
    return new PendingRun(result.then(settle, crashed), (reason) => execution.cancel(reason));
  }

  #settle<Outcome>(
    event: Event<Outcome>,
    identity: RunIdentity,
    count: ScriptCount,
    execution: Execution,
    result: ExecutionResult,
  ): Outcome {
    const { phase, keep } = event;
    if (result.kind === 'cancelled') return phase.onScriptError;
    keep?.(execution);
    switch (result.kind) {
      case 'finished':
        return phase.atEndOfScript;
      case 'ended':
        // Only the phase's own actions can end a script, and their `run` returns the phase's outcome.
        return result.outcome as Outcome;
      case 'failed':
        count.errors++;
        this.#log.error(
          { ...identity, ...placeOf(result.error) },
          `script error: ${bytesToText(result.error.message)}`,
        );
        return phase.onScriptError;
    }
  }

  #countOf(script: string): ScriptCount {
    let count = this.#counts.byScript.get(script);
    if (count === undefined) {
      count = { runs: 0, errors: 0 };
      this.#counts.byScript.set(script, count);
    }
    return count;
  }

  #phaseCountOf(serverId: string, phase: string): PhaseCount {
    let phases = this.#counts.byServer.get(serverId);
    if (phases === undefined) {
      phases = new Map();
      this.#counts.byServer.set(serverId, phases);
    }
    let count = phases.get(phase);
    if (count === undefined) {
      count = { running: 0, pending: 0, finished: 0, errors: 0 };
      phases.set(phase, count);
    }
    return count;
  }
}

/** Where a script failed, for the log. */
function placeOf({ file, line, column, stack }: ScriptError): object {
  return { file, line, column, stack: stack.map((entry) => stackLine(entry).trim()) };
}
