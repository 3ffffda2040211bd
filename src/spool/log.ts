// What the spool says to the operator goes through this; pino's loggers fit.

/** A logger. */
export interface SpoolLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
