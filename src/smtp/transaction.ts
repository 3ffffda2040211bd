// One mail: from MAIL to the reply after the final dot, or to whatever ends it sooner. The session lives on without it.

import type { Address, Recipient } from '#hooks';

export class Transaction {
  readonly id: string;
  readonly reversePath: Address;
  readonly recipients: Recipient[] = [];
  /** Its MAIL said SMTPUTF8 (RFC 6531 §3.4). */
  readonly hasUtf8: boolean;

  constructor(id: string, reversePath: Address, hasUtf8: boolean) {
    this.id = id;
    this.reversePath = reversePath;
    this.hasUtf8 = hasUtf8;
  }
}
