// `npm run fuzz -- TARGET SECONDS SEED`

const targets: Readonly<
  Record<string, () => Promise<{ run(seconds: number, seed: number): Promise<object> }>>
> = {
  language: () => import('./language.js'),
  smtp: () => import('./smtp.js'),
  auth: () => import('./auth.js'),
  bdat: () => import('./bdat.js'),
  parameters: () => import('./parameters.js'),
  'proxy-protocol': () => import('./proxy-protocol.js'),
  headers: () => import('./headers.js'),
  dns: () => import('./dns.js'),
  'address-lists': () => import('./address-lists.js'),
  mime: () => import('./mime.js'),
  dkim: () => import('./dkim.js'),
  ldap: () => import('./ldap.js'),
  certificates: () => import('./certificates.js'),
  'spool-records': () => import('./spool-records.js'),
  control: () => import('./control.js'),
  'mta-sts': () => import('./mta-sts.js'),
  peers: () => import('./peers.js'),
  'spool-crash': () => import('./spool-crash.js'),
};

const [target = '', seconds = '60', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
const load = targets[target];
if (load === undefined || !(Number(seconds) > 0) || !Number.isInteger(Number(seed))) {
  process.stderr.write(
    `usage: npm run fuzz -- TARGET SECONDS SEED\ntargets: ${Object.keys(targets).join(', ')}\n`,
  );
  process.exit(64);
}
const counts = await (await load()).run(Number(seconds), Number(seed));
process.stdout.write(`${target}, seed ${seed}: ${JSON.stringify(counts)}\n`);
