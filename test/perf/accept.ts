import { argonites, compare, parseOptions, startHoldingArgonite, startHoldingPostfix } from './mail.js';

/** Accept only: 250 when the message is on disk, nothing delivered. */
export async function run(args: readonly string[]): Promise<void> {
  const servers = {
    Postfix: () => startHoldingPostfix(),
    ...Object.fromEntries(
      Object.entries(argonites).map(([name, config]) => [name, () => startHoldingArgonite(config)]),
    ),
  };
  await compare('Accept and spool, durable, delivery held', servers, {
    ...parseOptions(args),
    withSink: false,
  });
}
