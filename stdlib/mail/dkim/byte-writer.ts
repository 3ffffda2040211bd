// Bytes written one after the other into a buffer that grows. What canonicalisation makes of a header section is written
// byte by byte; strings would cost several times that.

// Less than half of Node's buffer pool (8 KiB): more would be an allocation of its own each time, with its price in
// garbage collection.
const FIRST_SIZE = 2048;

export class ByteWriter {
  /** Valid up to `length`. */
  bytes: Buffer;
  length = 0;

  constructor(size = FIRST_SIZE) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  /** Makes room for `count` further bytes. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  /** What was written. It shares memory with the writer. */
  written(): Buffer {
    return this.bytes.subarray(0, this.length);
  }
}
