// What ends a request before there is a verdict on its message. It is thrown wherever it is found, in the middle of a stream
// as well, and becomes `{"error": …}` in one place (application.ts).

/** A request that cannot be carried out; the message is for the submitter. */
export class RequestProblem extends Error {
  constructor(
    /** The HTTP status. */
    readonly status: 400 | 401 | 404 | 405 | 408 | 413 | 415 | 422 | 503,
    message: string,
    /** Further header fields of the answer. */
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}
