// All loaders of `import $x from "file"`, by the name that forces one (hsl-language 14.3).

import type { DataLoader } from '#lang';
import { crtLoader, keyLoader } from './certificates.js';
import { emlLoader } from './mail-file.js';
import { csvLoader, jsonLoader, txtLoader, yamlLoader } from './text-formats.js';

/** For CompileHost.loaders. */
export const dataLoaders: Readonly<Record<string, DataLoader>> = {
  json: jsonLoader,
  yaml: yamlLoader,
  csv: csvLoader,
  txt: txtLoader,
  eml: emlLoader,
  crt: crtLoader,
  key: keyLoader,
};
