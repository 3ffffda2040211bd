// A whole smtpd-app.yaml as one text, scripts and all, as it is deployed beside the running one.

/** Scripts by phase, as a staged configuration has them: in its text. */
export type InlineHooks = Readonly<Record<string, string>>;

/** The text of a whole smtpd-app.yaml with one server, `in`, whose scripts are named `green`. */
export function appText(
  hooks: InlineHooks = {},
  changes: {
    readonly nextHopPort?: number;
    readonly server?: Readonly<Record<string, unknown>>;
    readonly scripting?: Readonly<Record<string, unknown>>;
    readonly app?: Readonly<Record<string, unknown>>;
    readonly transports?: readonly Readonly<Record<string, unknown>>[];
    readonly moreServers?: readonly object[];
  } = {},
): string {
  const { predelivery, postdelivery, ...session } = hooks;
  const inline: Record<string, unknown> = {};
  const phases: Record<string, unknown> = {};
  for (const [phase, data] of Object.entries(session)) {
    inline[phase] = [{ id: 'green', data }];
    phases[phase] = { hook: 'green' };
  }
  return JSON.stringify(
    {
      version: '6.8',
      servers: [{ id: 'in', transport: 'out', phases, ...changes.server }, ...(changes.moreServers ?? [])],
      scripting: {
        hooks: {
          ...inline,
          // Without them those beside the configuration would be taken.
          predelivery: predelivery ?? '',
          postdelivery: postdelivery ?? '',
        },
        ...changes.scripting,
      },
      transportgroups: [
        {
          id: 'group',
          retry: { count: 30, intervals: [{ interval: 60 }] },
          dsn: { transport: 'out' },
          transports: [
            { id: 'out', connection: { server: '127.0.0.1', port: changes.nextHopPort ?? 1 } },
            ...(changes.transports ?? []),
          ],
        },
      ],
      ...changes.app,
    },
    null,
    2,
  );
}
