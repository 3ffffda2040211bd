import { generateKeyPairSync } from 'node:crypto';
import type { DaemonConfig } from '../support/daemon.js';
import { startPostfix } from '../support/postfix.js';
import { harakaVersion, startRelayingHaraka, whyNoHaraka } from './haraka.js';
import { argonites, compare, parseOptions, type Server, startArgonite, startBareSink } from './mail.js';
import { hasOwnNames, mailHost, startNames } from './own-names.js';

/**
 * Full relay: in by SMTP, durable, out to a sink; until the sink has the last message. `--mx`: the next hop is found by MX, from
 * a name server of ours. `--dkim`: each message is signed (RSA-2048, relaxed/relaxed) in the eod hook, next to Haraka with its plugin.
 */
export async function run(args: readonly string[]): Promise<void> {
  const byMx = args.includes('--mx');
  const isSigning = args.includes('--dkim');
  if (byMx && !hasOwnNames()) return;
  const noHaraka = whyNoHaraka();
  if (noHaraka !== undefined) process.stderr.write(`${noHaraka}: the benchmark goes on without it\n`);
  const nextHop = (sinkPort: number) => (byMx ? {} : { nextHopPort: sinkPort });
  const servers: Record<string, (sinkPort: number) => Promise<Server>> = {};
  if (!isSigning)
    servers['Postfix'] = (sinkPort) =>
      startPostfix(sinkPort, byMx ? { relayhost: '', smtp_dns_support_level: 'enabled' } : {});
  if (noHaraka === undefined) {
    const dkim = isSigning
      ? { domain: 'client.test', selector: 'bench', privateKeyPem: signingKey }
      : undefined;
    servers[`Haraka ${harakaVersion()}`] = (sinkPort) =>
      startRelayingHaraka({ ...nextHop(sinkPort), ...(dkim === undefined ? undefined : { dkim }) });
  }
  for (const [name, config] of Object.entries(isSigning ? { 'argonite, signing': signing } : argonites))
    servers[name] = (sinkPort) =>
      startArgonite(byMx ? { ...config, app: { ...config.app, ...byMailHost } } : config, sinkPort);
  const names = byMx ? await startNames() : undefined;
  try {
    await compare(
      `Full relay to ${byMx ? 'the mail host of a domain' : 'a fixed next hop'}, durable${isSigning ? ', signed with RSA-2048' : ''}`,
      servers,
      {
        ...parseOptions(args),
        sink: () => (byMx ? startBareSink(mailHost, 25) : startBareSink()),
      },
    );
  } finally {
    await names?.stop();
  }
}

const signingKey = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();

/** The transport looks hosts up. */
const byMailHost = {
  transportgroups: [{ id: 'group', dsn: { transport: 'out' }, transports: [{ id: 'out' }] }],
};

/** Signs and queues. */
const signing: DaemonConfig = {
  hooks: {
    eod: `$mail = $arguments["mail"];
$mail->signDKIM("bench", "client.test", "pki:dkim", ["canonicalization_header" => "relaxed", "canonicalization_body" => "relaxed"]);
foreach ($transaction["recipients"] as $r)
	$mail->queue($transaction["senderaddress"], $r["address"], $r["transportid"]);
Accept();
`,
  },
  app: { pki: { private: [{ id: 'dkim', privatekey: { data: signingKey } }] } },
};
