// An SMTP server with the settings and scripts of a configuration folder, in the test's own process, from source; its spool is
// in memory and its port is free.

import path from 'node:path';
import { createLocalServices } from '#stdlib';
import { load } from '../../src/loaded.js';
import { limitsOf } from '../../src/scripting/configured-hooks.js';
import { HookRunner } from '../../src/scripting/hook-runner.js';
import { createFunctionCache, realClock } from '../../src/scripting/host/index.js';
import { smtpServerOptions } from '../../src/smtp/configured.js';
import { nativeServices } from './native-services.js';
import { scratchFolder } from './scratch-folder.js';
import { createRunHost } from './script-host.js';
import { SmtpFixture } from './smtp-fixture.js';
import { TestLog } from './test-log.js';

/** The first server of the folder, running. What its scripts log is in `scripts`. */
export async function configuredSmtp(folder: string): Promise<SmtpFixture & { readonly scripts: TestLog }> {
  process.env['XDG_CACHE_HOME'] = path.join(scratchFolder(), 'cache');
  const { configuration, hooks } = await load(folder);
  const { running } = configuration;
  const scripts = new TestLog();
  const runner = new HookRunner({
    host: { ...createRunHost(), cache: createFunctionCache({ clock: realClock }) },
    services: { ...createLocalServices(), native: nativeServices() },
    log: scripts,
    programs: hooks.programs,
    limits: limitsOf(running.limits),
  });
  const { hooks: hookIds, ...options } = smtpServerOptions(running.servers[0]!, 'mx.argonite.test');
  const fixture = new SmtpFixture({
    ...options,
    listeners: [{ address: '127.0.0.1', port: 0 }],
    parts: { hooks: runner },
    hookIds,
    transports: [...running.transports.keys()],
  });
  await fixture.start();
  return Object.assign(fixture, { scripts });
}
