// One mail: from MAIL to the reply after the final dot, or to whatever ends it sooner. The session lives on without it.

import type { Address, Recipient } from '#hooks';

export class Transaction {
  readonly id: string;
  readonly reversePath: Address;
  readonly recipients: Recipient[] = [];

  constructor(id: string, reversePath: Address) {
    this.id = id;
    this.reversePath = reversePath;
  }
}
