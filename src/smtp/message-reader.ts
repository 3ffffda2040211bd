// What takes a message's bytes out of the connection's: data-reader.ts after DATA, chunk-reader.ts after BDAT.

/** Finds where a message, or a chunk of it, ends. */
export interface MessageReader {
  /** The message's bytes of what was fed last. */
  readonly piece: Buffer;
  /** The bytes behind the end, once it was found. */
  readonly rest: Buffer;
  /** A lone dot with a bare CR or LF beside it was seen. */
  readonly hasLookAlike: boolean;
  /** Reads what came; its bytes may be moved. @returns whether the end was among them */
  feed(bytes: Buffer): boolean;
  /** The message is complete. */
  end?(): void;
}
