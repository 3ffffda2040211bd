// How an example of the manual is written, and what it promises.

/** A script, and what it must echo. */
export interface ExampleScript {
  readonly script: string;
  readonly echoes: readonly string[];
}

/** @throws Error when the text has neither of the two forms */
export function parseExample(text: string): readonly ExampleScript[] {
  return /(?:^|[\s;{)])echo\s/m.test(text) ? [parseScript(text)] : text.split('\n').map(parseExpression);
}

/** `expression  // result`, the result as json_encode prints it. */
function parseExpression(line: string): ExampleScript {
  const [, expression, json] = /^(\S.*?) {2}\/\/ (.+)$/.exec(line) ?? [];
  if (expression === undefined || json === undefined)
    throw new Error(`expected "expression  // json" or a script with echo, found: ${line}`);
  JSON.parse(json);
  return { script: `echo json_encode(${expression});`, echoes: [json] };
}

/** A script: what it echoes stands behind each echo as `  // text`, or alone on a line as `// text`. */
function parseScript(text: string): ExampleScript {
  const echoes = text.split('\n').flatMap((line) => {
    const found = /(?:^\s*| {2})\/\/ ?(.*)$/.exec(line)?.[1];
    return found === undefined ? [] : [found];
  });
  if (echoes.length === 0) throw new Error(`the script says nowhere what it echoes: ${text}`);
  return { script: text, echoes };
}
