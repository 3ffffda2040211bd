// A program: a daemon with a staged configuration from its start, since nobody outside can deploy one yet. It runs until it is
// killed. Arguments: the folder, and the file with the staged smtpd-app.yaml.

import { readFileSync } from 'node:fs';
import { Daemon } from '../../src/daemon.js';
import { load } from '../../src/loaded.js';
import { openLog } from '../../src/log/logger.js';
import { openSpools } from '../../src/spool/spread-spool.js';

const [folder, staged] = process.argv.slice(2) as [string, string];
const { logger: log } = openLog({ mask: 255, forPeople: false, write: (line) => process.stdout.write(line) });
const loaded = await load(folder);
const spool = await openSpools({ folders: loaded.configuration.startup.spoolPaths, log });
const daemon = new Daemon(folder, loaded, spool, log);
const result = await daemon.staging.deploy({ id: 't1', config: readFileSync(staged, 'utf8') });
if (result.kind === 'refused') throw new Error(result.problems);
await daemon.start();
