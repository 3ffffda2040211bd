/** Something wrong in a configuration file, at a place a person can go to. */
export interface ConfigProblem {
  readonly file: string;
  /** From 1; absent when the file as a whole is meant. */
  readonly line?: number;
  readonly column?: number;
  /** Where in the document: `servers[0].phases.eod.hook`. */
  readonly path?: string;
  readonly message: string;
  readonly severity: 'error' | 'warning';
}

/** `file:line:column: error: path: message`, the form editors understand. */
export function problemToText(problem: ConfigProblem): string {
  const place =
    problem.line === undefined ? problem.file : `${problem.file}:${problem.line}:${problem.column ?? 1}`;
  const path = problem.path === undefined || problem.path === '' ? '' : `${problem.path}: `;
  return `${place}: ${problem.severity}: ${path}${problem.message}`;
}

/** The configuration cannot be used. Its message lists every problem, one a line. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly ConfigProblem[]) {
    super(problems.map(problemToText).join('\n'));
  }
}
