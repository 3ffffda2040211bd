// The schema of the part `options` as a function that checks, compiled when it is first used. What ships has the function's
// code in place of this module (src/bundle/validators.mjs).

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { type SubmissionOptions, submissionOptions } from './schemas.js';

let compiler: Ajv2020 | undefined;

/** The compiler. `source`: the build writes down what it makes. */
export function schemaCompiler(): Ajv2020 {
  compiler ??= new Ajv2020({ strict: true, strictTypes: false, code: { source: true } });
  return compiler;
}

/** The check; its `errors` say what is wrong with the value that it saw last. */
export const validators = {
  options: (): ValidateFunction<SubmissionOptions> =>
    schemaCompiler().compile<SubmissionOptions>(submissionOptions),
};
