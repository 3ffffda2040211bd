// Answers where there is no request to answer, or none that could be read.

/** A whole answer, after which the connection closes. */
export function plainAnswer(status: string, error: string): string {
  const body = JSON.stringify({ error });
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}
