import * as fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { diskFiles } from '../../../src/spool/disk-files.js';
import { scratchFolder } from '../../support/scratch-folder.js';

test('a file that another process removes while the folder is listed is left out', async () => {
  const folder = scratchFolder({ 'lock.4711.abc': 'a draft', 'meta-00000001.log': 'stays' });
  const { readdir } = fs.promises;
  onTestFinished(() => {
    fs.promises.readdir = readdir;
  });
  // The other process comes between the names and the sizes.
  const readAndLose = async (name: string, options: { readonly withFileTypes: true }) => {
    const found = await readdir(name, options);
    fs.rmSync(path.join(folder, 'lock.4711.abc'));
    return found;
  };
  fs.promises.readdir = readAndLose as typeof readdir;
  expect(await diskFiles.list(folder)).toEqual([{ name: 'meta-00000001.log', sizeBytes: 5 }]);
});
