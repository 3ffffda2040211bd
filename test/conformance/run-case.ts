// Runs one case: a fresh host, a fresh execution, nothing kept but compiled patterns.

import { compile, type Diagnostic, type Environment, execute } from '#lang';
import { MailMessage, MIMEPart } from '#stdlib';
import { createCompileHost } from '../../src/scripting/host/index.js';
import { bareSettings, ProcessServices } from '../../src/scripting/process-services.js';
import { catalogEnvironment, createRunHost } from '../support/script-host.js';
import type { Case, ExpectedError } from './cases.js';

/** What came of a script. Texts are bytes; `problem` is for people. */
export interface CaseRun {
  /** Every echo, in order. */
  readonly echoes: readonly string[];
  readonly failure:
    | { readonly kind: 'compile' | 'runtime' | 'internal'; readonly problem: string }
    | undefined;
}

export type Verdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly expected: string; readonly got: string };

/** A case that takes longer is stopped by the execution's own limit; this much later it counts as hung. */
const TIME_SECONDS = 30;
const HANG_SECONDS = 40;

/** Runs a case and compares. */
export async function judge(one: Case): Promise<Verdict> {
  const run = await runScript(one);
  const output = run.echoes.map((echo) => `${echo}\n`).join('');
  const printed = one.dropsLastLineFeed ? output.slice(0, -1) : output;
  const rightEnd = endsAs(run, one.error);
  if (rightEnd && (one.output === undefined || printed === one.output)) return { kind: 'passed' };
  return {
    kind: 'failed',
    expected: described(one.output, one.error === undefined ? undefined : errorWords[one.error]),
    got: described(printed, run.failure && `${run.failure.kind} error: ${run.failure.problem}`),
  };
}

const errorWords: Readonly<Record<ExpectedError, string>> = {
  compile: 'an error when it is compiled',
  runtime: 'an uncaught error when it runs',
  any: 'an error, when it is compiled or when it runs',
};

function endsAs(run: CaseRun, error: ExpectedError | undefined): boolean {
  const kind = run.failure?.kind;
  if (kind === 'internal') return false;
  return error === 'any' ? kind !== undefined : kind === error;
}

function described(output: string | undefined, failure: string | undefined): string {
  const parts: string[] = [];
  if (output !== undefined && (output !== '' || failure === undefined)) parts.push(output);
  if (failure !== undefined) parts.push(failure);
  return parts.join(output?.endsWith('\n') === false ? '\n' : '') || '(any output)';
}

/** The library and, since cases edit messages without a hook, the message classes. */
const environment: Environment = {
  ...catalogEnvironment(),
  declarations: new Map([
    ...catalogEnvironment().declarations,
    [MailMessage.name, MailMessage],
    [MIMEPart.name, MIMEPart],
  ]),
};

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function runScript(one: Case): Promise<CaseRun> {
  const echoes: string[] = [];
  try {
    return { echoes, failure: await compileAndRun(one, echoes) };
  } catch (error) {
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { echoes, failure: { kind: 'internal', problem } };
  }
}

async function compileAndRun(one: Case, echoes: string[]): Promise<CaseRun['failure']> {
  const entry = { name: 'main.hsl', text: one.script };
  const { program, diagnostics } = await compile(entry, environment, createCompileHost({ files: one.files }));
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0 || program === undefined)
    return { kind: 'compile', problem: errors.map(sentenceOf).join('\n') };
  const settings = { ...bareSettings(undefined), files: one.files };
  const services = new ProcessServices({ settings, log: silent });
  const execution = execute(program, {
    host: createRunHost((text) => {
      echoes.push(text);
    }),
    services,
    limits: { time: TIME_SECONDS },
  });
  const result = await unlessHung(execution.run());
  await services.close();
  switch (result.kind) {
    case 'finished':
    case 'ended':
      return undefined;
    case 'failed':
      return { kind: 'runtime', problem: result.error.toText() };
    case 'cancelled':
      return { kind: 'internal', problem: `cancelled: ${result.reason}` };
    case 'hung':
      execution.cancel('the case did not end');
      return { kind: 'internal', problem: `it did not end within ${HANG_SECONDS} seconds` };
  }
}

function sentenceOf({ code, message, hint }: Diagnostic): string {
  return `${code}: ${message}${hint === undefined ? '' : ` ${hint}`}`;
}

async function unlessHung<T>(running: T | Promise<T>): Promise<T | { readonly kind: 'hung' }> {
  let timer: NodeJS.Timeout | undefined;
  const hung = new Promise<{ readonly kind: 'hung' }>((resolve) => {
    timer = setTimeout(() => resolve({ kind: 'hung' }), HANG_SECONDS * 1000);
  });
  try {
    return await Promise.race([running, hung]);
  } finally {
    clearTimeout(timer);
  }
}
