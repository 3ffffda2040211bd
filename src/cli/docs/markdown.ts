// Declarations as pages. Everything shown is read from the declarations that the VM and the linter read.

import type { Builtin, Group, Method, NativeClass, Parameter, PredefinedVariable } from '#lang';

const groupTitles: Readonly<Record<Group, string>> = {
  actions: 'Actions',
  arrays: 'Arrays',
  types: 'Types and conversions',
  strings: 'Strings',
  patterns: 'Patterns',
  math: 'Mathematics and random numbers',
  crypto: 'Hashes, ciphers, signatures',
  encodings: 'Encodings',
  time: 'Time and miscellaneous',
  network: 'Network values',
  dns: 'DNS',
  http: 'HTTP',
  smtp: 'SMTP client',
  mail: 'Messages',
  state: 'State shared by executions',
  queue: 'The queue',
  metrics: 'Metrics',
  collections: 'Collections',
  files: 'Files',
  sockets: 'Sockets',
  certificates: 'Certificates',
  ldap: 'LDAP',
  ffi: 'Foreign functions',
};

export const groups = Object.keys(groupTitles) as readonly Group[];

export function titleOf(group: Group): string {
  return groupTitles[group];
}

function parameterToText(parameter: Parameter): string {
  const name = `${parameter.rest ? '...' : ''}$${parameter.name}`;
  if (parameter.default !== undefined) return `[${name} = ${JSON.stringify(parameter.default)}]`;
  return parameter.optional || parameter.type === 'options' ? `[${name}]` : name;
}

/** `name($a, [$b = 1])` */
export function signatureOf(name: string, params: readonly Parameter[]): string {
  return `${name}(${params.map(parameterToText).join(', ')})`;
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function parametersToTable(params: readonly Parameter[]): string[] {
  const rows = params.map(
    (one) =>
      `| \`$${one.name}\` | ${cell(one.type === 'options' ? 'array' : one.type)} | ${cell(one.doc ?? '')} |`,
  );
  const lines =
    rows.length === 0 ? [] : ['', '| parameter | type | meaning |', '| --- | --- | --- |', ...rows];
  for (const { name, keys } of params) {
    const entries = Object.entries(keys ?? {}).filter(([, key]) => key.aliasOf === undefined);
    if (entries.length === 0) continue;
    lines.push('', `| key of \`$${name}\` | type | default | meaning |`, '| --- | --- | --- | --- |');
    for (const [key, { type, default: initial, doc }] of entries) {
      lines.push(
        `| \`${key}\` | ${cell(type)} | ${initial === undefined ? '' : `\`${JSON.stringify(initial)}\``} | ${cell(doc)} |`,
      );
    }
  }
  return lines;
}

type Callable = Pick<
  Method,
  'summary' | 'details' | 'params' | 'returns' | 'errors' | 'example' | 'since' | 'source' | 'suspends'
>;

function callableToLines(heading: string, name: string, one: Callable): string[] {
  const facts = [
    `Returns: ${one.returns}.`,
    one.errors === undefined ? '' : `Errors: ${one.errors}`,
    one.suspends ? 'The script waits; the server goes on.' : '',
    one.since === undefined ? '' : `Since ${one.since}.`,
    one.source === undefined ? '' : `Source: ${one.source}.`,
  ].filter((fact) => fact !== '');
  return [
    heading,
    '',
    `    ${signatureOf(name, one.params)}`,
    '',
    one.summary,
    ...(one.details === undefined ? [] : ['', one.details]),
    ...parametersToTable(one.params),
    '',
    facts.join(' '),
    ...(one.example === undefined ? [] : ['', '```hsl', one.example, '```']),
    '',
  ];
}

export function builtinToMarkdown(one: Builtin): string {
  if (one.deprecated !== undefined) return `## ${one.name}\n\nOlder name of \`${one.deprecated}\`.\n`;
  return callableToLines(`## ${one.name}`, one.name, one).join('\n');
}

export function classToMarkdown(one: NativeClass): string {
  const lines = [
    `## class ${one.name}`,
    '',
    one.summary,
    ...(one.details === undefined ? [] : ['', one.details]),
    '',
  ];
  if (one.constructorOf !== undefined) {
    lines.push(
      `    ${signatureOf(one.name, one.constructorOf.params)}`,
      ...parametersToTable(one.constructorOf.params),
      '',
    );
  }
  for (const method of Object.values(one.statics)) lines.push(methodToMarkdown(method, `${one.name}::`));
  for (const method of Object.values(one.methods)) lines.push(methodToMarkdown(method, '->'));
  return lines.join('\n');
}

/** One method; `called` is what stands before its name in a call. */
export function methodToMarkdown(method: Method, called: string): string {
  return callableToLines(`### ${called}${method.name}`, `${called}${method.name}`, method).join('\n');
}

export function variablesToMarkdown(variables: readonly PredefinedVariable[]): string {
  return variables
    .flatMap((one) => [
      `### $${one.name}`,
      '',
      `${one.summary}${one.readonly ? ' Read-only.' : ''}`,
      '',
      ...(one.keys === undefined
        ? []
        : [
            '| key | meaning |',
            '| --- | --- |',
            ...Object.entries(one.keys).map(([key, doc]) => `| \`${key}\` | ${cell(doc)} |`),
            '',
          ]),
    ])
    .join('\n');
}
