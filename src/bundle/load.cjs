// Loads the bundle: `dist/bundle/current.json` names the folder, each file in it has a cache of V8's code beside it, which
// saves compiling at every start. The cache is made by the build (warm.cjs), for one version of Node; with another, or
// without one, everything works and starts slower. Nothing is ever written here.

'use strict';

const { existsSync, readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

const bundles = path.join(__dirname, '..', '..', 'dist', 'bundle');

/** The folder of the bundle that is in use; undefined when nothing is built. */
function currentFolder() {
  const file = path.join(bundles, 'current.json');
  return existsSync(file) ? path.join(bundles, JSON.parse(readFileSync(file, 'utf8')).folder) : undefined;
}

/**
 * A `require` for the files of a bundle. `onScript` is told of each that is compiled: the build takes the cache from it.
 * For source maps Node has to load the files itself: `NODE_OPTIONS=--enable-source-maps` shows lines of the sources.
 */
function openBundle(folder, { useCache = true, onScript = () => {} } = {}) {
  const modules = new Map();
  const plain = createRequire(path.join(folder, 'any.cjs'));
  const mapped = /--enable-source-maps/.test(`${process.execArgv} ${process.env.NODE_OPTIONS}`);
  const load = (id) => {
    if (mapped || !id.startsWith('./')) return plain(id);
    const file = path.join(folder, id);
    const known = modules.get(file);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    modules.set(file, module);
    const cacheFile = `${file}.${process.version}.cache`;
    const cachedData = useCache && existsSync(cacheFile) ? readFileSync(cacheFile) : undefined;
    // The code is ASCII, only comments are not. As Latin-1 it costs one copy.
    const text = readFileSync(file, 'latin1');
    const script = new vm.Script(
      `(function (exports, require, module, __filename, __dirname) { ${text}\n})`,
      {
        filename: file,
        cachedData,
      },
    );
    onScript(file, script);
    script.runInThisContext()(module.exports, load, module, file, folder);
    return module.exports;
  };
  // What packages look for at a `require`.
  return Object.assign(load, { resolve: plain.resolve, main: plain.main, cache: plain.cache });
}

module.exports = { currentFolder, openBundle };
