import { startPostfix } from '../support/postfix.js';
import { argonites, compare, parseOptions, startArgonite } from './mail.js';

/** Full relay: in by SMTP, durable, out to a sink; until the sink has the last message. */
export async function run(args: readonly string[]): Promise<void> {
  const servers = {
    Postfix: (sinkPort: number) => startPostfix(sinkPort),
    ...Object.fromEntries(
      Object.entries(argonites).map(([name, config]) => [
        name,
        (sinkPort: number) => startArgonite(config, sinkPort),
      ]),
    ),
  };
  await compare('Full relay to a fixed next hop, durable', servers, {
    ...parseOptions(args),
    withSink: true,
  });
}
