// The shell: a prompt with history, input over several lines, completion, and a few commands of its own.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { bytesToText, disassemble, textToBytes, toText } from '#lang';
import { createRunHost } from '../../scripting/host/index.js';
import { bareSettings, type ScriptSettings } from '../../scripting/process-services.js';
import { exitCodes } from '../exit-codes.js';
import { scriptErrorToText, showDiagnostics } from '../hsh.js';
import { plainEnvironment } from '../script-surroundings.js';
import { shellServices } from '../shell-services.js';
import { commonStart, complete } from './complete.js';
import { helpFor } from './help.js';
import { ReplSession } from './session.js';

const help = `Type HSL. A lone expression shows its value.
  :help NAME   what a function, a class or a method (Map->set) does
  :dis CODE    the bytecode of some code
  :time CODE   run some code and say how long it took
  :vars        the variables and their values
  :quit        leave (so does Ctrl-D); Ctrl-C gives up the input or stops what runs
Tab completes functions, classes, methods and variables.
`;

const historyLimit = 1000;

function historyFile(): string {
  const base = process.env['XDG_STATE_HOME'] ?? path.join(homedir(), '.local', 'state');
  return path.join(base, 'argonite', 'hsh-history');
}

function readHistory(): string[] {
  try {
    return readFileSync(historyFile(), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .reverse();
  } catch {
    return [];
  }
}

function writeHistory(lines: readonly string[]): void {
  try {
    mkdirSync(path.dirname(historyFile()), { recursive: true, mode: 0o700 });
    writeFileSync(historyFile(), `${lines.slice(-historyLimit).join('\n')}\n`, { mode: 0o600 });
  } catch {
    // A history that cannot be kept is no reason to complain at every prompt.
  }
}

/** Where the shell talks to; a terminal unless a test says otherwise. */
export interface ReplTerminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly isTerminal: boolean;
}

/** Runs the shell until its input ends. @returns the exit code */
export function runRepl(
  root: string,
  terminal: ReplTerminal = { input: process.stdin, output: process.stdout, isTerminal: true },
  settings: ScriptSettings = bareSettings(root),
): Promise<number> {
  const { output } = terminal;
  const say = (text: string) => output.write(text.endsWith('\n') ? text : `${text}\n`);
  const services = shellServices(settings);
  const host = createRunHost({ echo: (text) => say(bytesToText(text)) });
  const session = new ReplSession(root, host, services);
  const past = terminal.isTerminal ? readHistory() : [];
  const typed = [...past].reverse();
  let pending = '';
  let hasQuit = false;

  const prompt: Interface = createInterface({
    input: terminal.input,
    output,
    terminal: terminal.isTerminal,
    history: past,
    historySize: historyLimit,
    prompt: 'hsl> ',
    completer: (line: string): [string[], string] => {
      const { word, completions } = complete(line, {
        environment: plainEnvironment(),
        variables: session.variables,
        declared: session.declared,
      });
      if (completions.length === 0) return [[], word];
      const start = commonStart(completions.map(({ text }) => text));
      if (completions.length === 1 || start.length > word.length) return [[start], word];
      say(
        `\n${completions
          .slice(0, 30)
          .map((one) => `  ${one.text.padEnd(24)} ${one.help}`)
          .join('\n')}${completions.length > 30 ? `\n  … and ${completions.length - 30} more` : ''}`,
      );
      prompt.prompt(true);
      return [[], word];
    },
  });

  const show = async (text: string, isWhole = false): Promise<void> => {
    const outcome = await session.run(textToBytes(text), isWhole);
    switch (outcome.kind) {
      case 'incomplete':
        pending = text;
        return;
      case 'done':
        if (outcome.value !== undefined) say(bytesToText(toText(outcome.value)));
        break;
      case 'refused':
        if (terminal.isTerminal) showDiagnostics(outcome.diagnostics);
        else for (const { message } of outcome.diagnostics) say(`error: ${bytesToText(message)}`);
        break;
      case 'failed':
        say(scriptErrorToText(outcome.error));
        break;
      case 'cancelled':
        say(outcome.reason);
        break;
    }
    pending = '';
  };

  const command = async (line: string): Promise<void> => {
    const [, name, rest] = /^:(\w*)\s*([\s\S]*)$/.exec(line) as unknown as [string, string, string];
    switch (name) {
      case 'help': {
        if (rest === '') return void say(help);
        return void say(
          helpFor(rest.trim(), plainEnvironment(), session.declared) ??
            `there is no function, class or method "${rest.trim()}"`,
        );
      }
      case 'dis': {
        const compiled = await session.compile(textToBytes(rest));
        if ('functions' in compiled) return void say(disassemble(compiled));
        if (compiled.length === 0) return void say('error: the code ends too early');
        for (const { message } of compiled) say(`error: ${bytesToText(message)}`);
        return;
      }
      case 'time': {
        const began = process.hrtime.bigint();
        await show(rest);
        return void say(
          `${(Number(process.hrtime.bigint() - began) / 1e6).toFixed(3)} ms, compiling included`,
        );
      }
      case 'vars':
        for (const [variable, value] of session.variables)
          say(`$${variable} = ${bytesToText(toText(value))}`);
        return;
      case 'quit':
        hasQuit = true;
        return void prompt.close();
      default:
        say(`there is no command ":${name}"; :help lists them`);
    }
  };

  return new Promise((resolve) => {
    // One input at a time: the next line waits until the last one has run.
    let turn: Promise<void> = Promise.resolve();
    let isClosed = false;
    const next = () => {
      if (isClosed) return;
      prompt.setPrompt(pending === '' ? 'hsl> ' : ' ... ');
      prompt.prompt();
    };
    prompt.on('line', (line) => {
      turn = turn.then(async () => {
        // Lines that were typed ahead of :quit's turn are not run.
        if (hasQuit) return;
        if (line !== '') typed.push(line);
        if (pending === '' && line.trim() === '') return next();
        if (pending === '' && line.startsWith(':')) await command(line);
        // An empty line ends an input that waits for more.
        else if (line.trim() === '') await show(pending, true);
        else await show(pending === '' ? line : `${pending}\n${line}`);
        next();
      });
    });
    prompt.on('SIGINT', () => {
      if (session.interrupt()) return;
      pending = '';
      // readline keeps the line on Ctrl-C: what stands behind the cursor goes first, then what stands before it.
      prompt.write(null, { ctrl: true, name: 'e' });
      prompt.write(null, { ctrl: true, name: 'u' });
      say('^C');
      next();
    });
    prompt.on('close', () => {
      isClosed = true;
      void turn.then(() => {
        if (terminal.isTerminal) writeHistory(typed);
        say('');
        void services.close().then(() => resolve(exitCodes.done));
      });
    });
    say('argonite hsh: type HSL, :help for help');
    next();
  });
}
