#!/usr/bin/env node
// The command: runs the bundle that the build made. CommonJS on purpose: UV_THREADPOOL_SIZE counts only if it is set before
// the first use of the pool, and the loader of ES modules uses it. fsync and signing share the pool, so it is larger than
// Node's four.
process.env.UV_THREADPOOL_SIZE ??= '12';
const { currentFolder, openBundle } = require('../bundle/load.cjs');
const folder = currentFolder();
if (folder === undefined) {
  process.stderr.write('argonite is not built yet: run "npm run build" first\n');
  process.exit(70);
}
try {
  openBundle(folder)('./command.cjs');
} catch (error) {
  process.stderr.write(`${error?.stack}\n`);
  process.exit(70);
}
