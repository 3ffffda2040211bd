// How long the event loop is kept from other work.

/** Measures the longest time between two turns of the event loop, in processor time. @returns what ends it and tells, in ms */
export function longestTurn(): () => number {
  let longest = 0;
  let isOver = false;
  let last = process.cpuUsage();
  const look = (): void => {
    const { user, system } = process.cpuUsage(last);
    longest = Math.max(longest, (user + system) / 1000);
    last = process.cpuUsage();
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  return () => {
    isOver = true;
    return longest;
  };
}
