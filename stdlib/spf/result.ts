// What SPF can say of a message (RFC 7208 §2.6), and how an evaluation ends early.

export type SpfResult = 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror';

/** An error that ends the whole evaluation, whatever include or redirect it happens in. */
export class SpfError extends Error {
  readonly result: 'temperror' | 'permerror';

  constructor(result: 'temperror' | 'permerror', message: string) {
    super(message);
    this.result = result;
  }
}
