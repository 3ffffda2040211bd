/**
 * Text from a peer, made safe to show: every byte that is not printable ASCII becomes `\xhh`, and what is longer than
 * `limit` is cut. Use it for whatever came from the network and goes into a log line or a message.
 */
export function printable(bytes: string, limit = 512): string {
  const cut = bytes.length > limit ? `${bytes.slice(0, limit)}...` : bytes;
  return /^[\x20-\x5b\x5d-\x7e]*$/.test(cut)
    ? cut
    : cut.replace(/[^\x20-\x5b\x5d-\x7e]/g, (char) => {
        const code = char.charCodeAt(0);
        return code > 0xff
          ? `\\u${code.toString(16).padStart(4, '0')}`
          : `\\x${code.toString(16).padStart(2, '0')}`;
      });
}
