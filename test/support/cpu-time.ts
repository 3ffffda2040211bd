// How long work keeps a processor busy. Others may have the machine at the same time: the clock on the wall would measure
// them too.

/** Runs `work`. @returns seconds of processor time that this process spent meanwhile, in all its threads */
export async function cpuSeconds(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000_000;
}
