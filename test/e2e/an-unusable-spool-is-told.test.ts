import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { configFolder, sendMail, serveUntilItEnds, startDaemon, startMta } from '../support/mta.js';
import { root, runProgram } from '../support/peers.js';

// A daemon that cannot keep mail does not start: it says in one line which folder, why, and what to do.

test('a spool path that is a file is told', async () => {
  const folder = configFolder();
  writeFileSync(path.join(folder, 'spool'), 'a file');
  const { code, stderr } = await serveUntilItEnds(folder);
  expect({ code, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 1, lines: 1 });
  expect(stderr).toContain(path.join(folder, 'spool'));
  expect(stderr).toMatch(/EEXIST|ENOTDIR|not a folder/);
});

test('a spool path below a file is told', async () => {
  const folder = configFolder({ spool: { path: 'plain/spool' } });
  writeFileSync(path.join(folder, 'plain'), 'a file');
  const { code, stderr } = await serveUntilItEnds(folder);
  expect(code).toBe(1);
  expect(stderr).toContain(path.join(folder, 'plain/spool'));
  expect(stderr).not.toMatch(/^\s+at /m);
});

// root may write everywhere, so the daemon runs without that privilege on a folder of somebody else; only root can arrange
// that. (Another user would not do: it may not be able to read the project.)
const reason = process.getuid?.() === 0 ? undefined : 'needs root, to give the folder to another user';

test.skipIf(reason !== undefined)(
  `a spool folder that may not be written to is told${reason === undefined ? '' : ` (${reason})`}`,
  async () => {
    const nobody = 65534;
    const folder = configFolder();
    mkdirSync(path.join(folder, 'spool'), { mode: 0o755 });
    chownSync(path.join(folder, 'spool'), nobody, nobody);
    const launch = path.join(root, 'src/cli/launch.cjs');
    const { code, stderr } = await runProgram(
      'setpriv',
      ['--bounding-set=-dac_override,-dac_read_search', process.execPath, launch, 'serve', '-c', folder],
      { env: { ...process.env, XDG_CACHE_HOME: path.join(folder, 'cache') } },
    );
    expect({ code, stderr }).toMatchObject({ code: 1 });
    expect(stderr).toContain(path.join(folder, 'spool'));
    expect(stderr).toContain('the user that argonite runs as must be able to write in the spool folder');
  },
);

test('a second daemon on the same spool does not start, and the first goes on', async () => {
  const { daemon, sink } = await startMta();
  const { code, stderr } = await serveUntilItEnds(
    configFolder({ spool: { path: path.join(daemon.folder, 'spool') } }),
  );
  expect(code).toBe(1);
  expect(stderr).toContain(`in use by process ${daemon.pid}`);
  expect(stderr).toContain('spool.path');
  expect((await sendMail(daemon)).code).toBe(250);
  await sink.waitFor(1);
});

test('the lock of a daemon that was killed does not keep the next one from starting', async () => {
  const daemon = await startDaemon({});
  await daemon.stop('SIGKILL');
  await startDaemon({ folder: daemon.folder });
});
