/** The defaults, each with its place in the documents (queue-and-config 8 and 12, design.md 4). */
export const defaults = {
  spoolPath: '/var/spool/argonite/queue',
  maxSizeBytes: 50 * 1024 ** 2,
  maxHops: 100,
  idleTimeoutSeconds: 300,
  messageTimeoutSeconds: 3600,
  lingerSeconds: 30,
  queueConcurrency: 10_000,
  shutdownGraceSeconds: 30,
  poolSize: 1000,
  poolIdleSeconds: 5,
  connectTimeoutSeconds: 30,
  retryCount: 30,
  retryIntervals: [
    { seconds: 60, notify: false },
    { seconds: 900, notify: false },
    { seconds: 3600, notify: true },
    { seconds: 7200, notify: false },
    { seconds: 10_800, notify: false },
  ],
  limits: {
    depth: 512,
    memoryBytes: 256 * 1024 ** 2,
    timeSeconds: 300,
    outputBytes: 1024 ** 2,
    instructions: 0,
  },
} as const;
