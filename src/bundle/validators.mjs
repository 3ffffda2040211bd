// Compiles schemas when the project is built, not at every start. A module named here exports `validators` (functions that
// compile a schema each) and `schemaCompiler`; in the bundle the code that the compiler made takes its place. Keywords of
// ours are called as they are: they stand in `keywords.ts` beside the module, where there is one.

import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { _, getProperty } from 'ajv/dist/compile/codegen/index.js';
import standalone from 'ajv/dist/standalone/index.js';
import { build } from 'esbuild';

const modules = ['src/config/schema/validators.ts', 'src/submission/validators.ts'];

/** An esbuild plugin that puts compiled schemas in the place of the modules that compile them. */
export function compiledSchemas(root, scratch) {
  const files = new Set(modules.map((name) => path.join(root, name)));
  return {
    name: 'compiled schemas',
    setup(bundle) {
      bundle.onLoad({ filter: /[\\/]validators\.ts$/ }, async ({ path: file }) =>
        files.has(file)
          ? { contents: await compiledModule(file, scratch), resolveDir: path.dirname(file), loader: 'js' }
          : undefined,
      );
    },
  };
}

/** The text of the module that takes the place of `file`. */
async function compiledModule(file, scratch) {
  const keywordsFile = path.join(path.dirname(file), 'keywords.ts');
  const hasKeywords = existsSync(keywordsFile);
  const { validators, schemaCompiler, keywords } = await loadSource(
    [file, ...(hasKeywords ? [keywordsFile] : [])],
    scratch,
  );
  const entries = Object.entries(validators).map(([name, compile]) => {
    const validate = compile();
    nameKeywords(validate.source, keywords ?? {});
    // The code is a module of CommonJS; it runs when the check is first asked for.
    return `  ${JSON.stringify(name)}: once((module, self) => {\n${standalone.default(schemaCompiler(), validate)}\n  }),`;
  });
  return [
    ...(hasKeywords ? ["import { keywords } from './keywords.js';"] : []),
    'function once(run) {',
    '  let made;',
    '  return () => {',
    '    if (made === undefined) run((made = { exports: undefined }));',
    '    return made.exports;',
    '  };',
    '}',
    `export const validators = {\n${entries.join('\n')}\n};`,
  ].join('\n');
}

/** What TypeScript modules export together; they see the same packages as this module. */
async function loadSource(files, scratch) {
  const outfile = path.join(scratch, `schemas-${path.basename(path.dirname(files[0]))}.mjs`);
  await build({
    stdin: {
      contents: files.map((file) => `export * from ${JSON.stringify(file)};`).join('\n'),
      resolveDir: path.dirname(files[0]),
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    packages: 'external',
    conditions: ['argonite-source'],
  });
  try {
    return await import(pathToFileURL(outfile).href);
  } finally {
    await rm(outfile, { force: true });
  }
}

/** The compiler cannot write down functions of keywords: it is told where they are. */
function nameKeywords({ scopeValues }, keywords) {
  for (const name of scopeValues.keyword ?? []) {
    const [keyword] = Object.entries(keywords).find(([, { validate }]) => validate === name.value.ref) ?? [];
    if (keyword === undefined) throw new Error('a schema uses a keyword that is not in keywords.ts');
    name.value.code = _`keywords${getProperty(keyword)}.validate`;
  }
}
