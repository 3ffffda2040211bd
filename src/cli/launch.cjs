#!/usr/bin/env node
// The command. CommonJS on purpose: UV_THREADPOOL_SIZE counts only if it is set before the first use of the pool, and the
// loader of ES modules uses it. fsync and signing share the pool, so it is larger than Node's four.
process.env.UV_THREADPOOL_SIZE ??= '12';
import('../../dist/src/cli/main.js').catch((error) => {
  const missing =
    error && error.code === 'ERR_MODULE_NOT_FOUND' && /dist[\\/]src[\\/]cli/.test(String(error.message));
  process.stderr.write(
    missing ? 'argonite is not built yet: run "npm run build" first\n' : `${error?.stack}\n`,
  );
  process.exit(70);
});
