// The schemas as functions that check. Compiled when they are first used, which takes 140 ms and two large packages: so
// the build compiles them, and what ships has the functions' code in place of this module (src/bundle/validators.mjs).

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { fileSchemas, type SettingsFile } from './files.js';
import { keywords } from './keywords.js';

export type { SettingsFile } from './files.js';

let compiler: Ajv2020 | undefined;

/** The compiler, with our keywords. `verbose`: messages quote the schema. `source`: the build writes it down. */
export function schemaCompiler(): Ajv2020 {
  if (compiler === undefined) {
    compiler = new Ajv2020({
      allErrors: true,
      strict: true,
      strictTypes: false,
      verbose: true,
      code: { source: true },
    });
    for (const [keyword, { schemaType, ...check }] of Object.entries(keywords))
      compiler.addKeyword({ keyword, schemaType, ...check });
  }
  return compiler;
}

/** The check of each file; its `errors` say what is wrong with the value that it saw last. */
export const validators: Readonly<Record<SettingsFile, () => ValidateFunction>> = {
  'smtpd.yaml': () => schemaCompiler().compile(fileSchemas['smtpd.yaml']),
  'smtpd-app.yaml': () => schemaCompiler().compile(fileSchemas['smtpd-app.yaml']),
  'smtpd-policy.yaml': () => schemaCompiler().compile(fileSchemas['smtpd-policy.yaml']),
  'smtpd-suspend.yaml': () => schemaCompiler().compile(fileSchemas['smtpd-suspend.yaml']),
  'smtpd-delivery.yaml': () => schemaCompiler().compile(fileSchemas['smtpd-delivery.yaml']),
};
