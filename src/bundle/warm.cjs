// Runs the command from a bundle that is being built, and writes V8's code caches when it ends. What ran is in them, so
// that the same need not be compiled at a start.
//
//   node warm.cjs FOLDER FILES ARGUMENTS...      FILES: names of the bundle's files to write caches for, with commas

'use strict';

const { renameSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { openBundle } = require('./load.cjs');

process.env.UV_THREADPOOL_SIZE ??= '12';
const [folder, files] = process.argv.splice(2, 2);
const wanted = new Set(files.split(',').map((name) => path.join(folder, name)));
const scripts = new Map();
const load = openBundle(folder, { useCache: false, onScript: (file, script) => scripts.set(file, script) });

process.on('exit', () => {
  for (const [file, script] of scripts) {
    if (!wanted.has(file)) continue;
    const cache = `${file}.${process.version}.cache`;
    // Another build may be at the same bundle.
    const draft = `${cache}.${process.pid}`;
    writeFileSync(draft, script.createCachedData());
    renameSync(draft, cache);
  }
});

load('./command.cjs');
