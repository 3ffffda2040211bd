// The exchanges of AUTH as machines: the client's responses go in, decoded; what to do next comes out.
//
//   PLAIN   RFC 4616                  one response: NUL-separated names and password
//   LOGIN   draft-murchison-sasl-login  two responses: name, password
//   others  the script's own          every response is the script's to judge, and every challenge its own
//
// Pure: no socket, no script. What is asked of the script is an AuthAttempt.

import type { AuthAttempt } from '#hooks';

/** What comes after a response. */
export type ExchangeStep =
  /** Send this, not yet in base64, and wait for the next response. */
  | { readonly kind: 'challenge'; readonly challenge: string }
  /** The script decides. */
  | { readonly kind: 'ask'; readonly attempt: AuthAttempt }
  /** The response is not what the mechanism says. */
  | { readonly kind: 'malformed' }
  /** It is, and cannot be right: no script needs to look at it. */
  | { readonly kind: 'refused' };

/** One exchange. */
export interface Exchange {
  /** In upper case. */
  readonly mechanism: string;
  /** The script may send challenges. */
  readonly isScripts: boolean;
  /** `response` is undefined at the beginning when the client gave no initial one. */
  take(response: string | undefined): ExchangeStep;
}

/** Begins an exchange. */
export function beginExchange(mechanism: string): Exchange {
  switch (mechanism) {
    case 'PLAIN':
      return new PlainExchange();
    case 'LOGIN':
      return new LoginExchange();
    default:
      return new ScriptExchange(mechanism);
  }
}

class PlainExchange implements Exchange {
  readonly mechanism = 'PLAIN';
  readonly isScripts = false;

  take(response: string | undefined): ExchangeStep {
    if (response === undefined) return { kind: 'challenge', challenge: '' };
    const parts = response.split('\0');
    if (parts.length !== 3) return { kind: 'malformed' };
    const [actAs, username, password] = parts as [string, string, string];
    // Whether one user may act as another is nothing that scripts are asked (RFC 4616 §2).
    if (actAs !== '' && actAs !== username) return { kind: 'refused' };
    return askForPassword(this.mechanism, username, password);
  }
}

class LoginExchange implements Exchange {
  readonly mechanism = 'LOGIN';
  readonly isScripts = false;
  #username: string | undefined;

  take(response: string | undefined): ExchangeStep {
    if (response === undefined) return { kind: 'challenge', challenge: 'Username:' };
    if (this.#username !== undefined) return askForPassword(this.mechanism, this.#username, response);
    this.#username = response;
    return { kind: 'challenge', challenge: 'Password:' };
  }
}

/**
 * An empty password proves nothing (RFC 4616 §2 forbids it), and some directories take a log-in without one for an
 * anonymous one that succeeds (RFC 4513 §5.1.2): scripts never see it.
 */
function askForPassword(mechanism: string, username: string, password: string): ExchangeStep {
  if (username === '' || password === '') return { kind: 'refused' };
  return { kind: 'ask', attempt: { mechanism, username, password } };
}

class ScriptExchange implements Exchange {
  readonly isScripts = true;
  readonly mechanism: string;
  #state = 0;

  constructor(mechanism: string) {
    this.mechanism = mechanism;
  }

  take(response: string | undefined): ExchangeStep {
    return { kind: 'ask', attempt: { mechanism: this.mechanism, state: this.#state++, response } };
  }
}
