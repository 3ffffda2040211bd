import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ControlClient } from '../../../../src/control/client/control-client.js';
import { scratchFolder } from '../../../support/scratch-folder.js';

test('what is no socket is told from a daemon that does not run', async () => {
  const folder = scratchFolder();
  const file = path.join(folder, 'file');
  writeFileSync(file, '');
  await expect(ControlClient.connect(folder)).rejects.toThrow(
    `${folder}: this is no socket. -s names the one that environment.controlsocket in smtpd.yaml makes`,
  );
  await expect(ControlClient.connect(file)).rejects.toThrow('this is no socket');
  await expect(ControlClient.connect('127.0.0.1:1')).rejects.toThrow('nobody answers at the socket');
});
