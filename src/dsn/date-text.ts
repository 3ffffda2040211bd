// Dates as header fields and reports write them.

/** A date of RFC 5322 §3.3, in UTC. */
export function dateText(unixSeconds: number): string {
  // "Fri, 21 Nov 2026 10:00:00 GMT": all but the zone is the form of the RFC.
  return new Date(Math.floor(unixSeconds) * 1000).toUTCString().replace('GMT', '+0000');
}
