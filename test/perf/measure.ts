// What the operating system says a server cost: CPU and memory of its whole process tree.

import { readdirSync, readFileSync } from 'node:fs';

const ticksPerSecond = 100;

interface ProcessStat {
  readonly parent: number;
  /** Own and reaped children's user and system time, in seconds. */
  readonly cpuSeconds: number;
}

function statOf(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command's name is in parentheses and may hold anything; fields are counted from behind it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14]);
    return { parent: Number(fields[1]), cpuSeconds: ticks / ticksPerSecond };
  } catch {
    return undefined;
  }
}

/** The process and all its descendants that are alive. */
function treeOf(root: number): Map<number, ProcessStat> {
  const all = new Map<number, ProcessStat>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? statOf(pid) : undefined;
    if (stat !== undefined) all.set(pid, stat);
  }
  const tree = new Map<number, ProcessStat>();
  const visit = (pid: number) => {
    const stat = all.get(pid);
    if (stat === undefined) return;
    tree.set(pid, stat);
    for (const [child, { parent }] of all) if (parent === pid) visit(child);
  };
  visit(root);
  return tree;
}

/** CPU seconds used so far by a process tree, what its ended children used included. */
export function treeCpuSeconds(pid: number): number {
  let seconds = 0;
  for (const { cpuSeconds } of treeOf(pid).values()) seconds += cpuSeconds;
  return seconds;
}

/** Proportional set size of a process tree, in MiB. */
export function treePssMiB(pid: number): number {
  let kilobytes = 0;
  for (const one of treeOf(pid).keys()) {
    try {
      const match = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${one}/smaps_rollup`, 'latin1'));
      kilobytes += Number(match?.[1] ?? 0);
    } catch {
      // It has just ended.
    }
  }
  return kilobytes / 1024;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** A Markdown table, columns padded. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join(
    '\n',
  );
}

/** Compilers get to their final code, process pools to their size: V8 is not done before some ten thousand messages. */
const warmUpMessages = 15_000;
const longestWarmUpSeconds = 6;

/** Bursts of mail, each counted, until a server has had enough of it or enough time. */
export async function warmUp(burst: () => Promise<number>): Promise<void> {
  const latest = performance.now() + longestWarmUpSeconds * 1000;
  for (let count = 0; count < warmUpMessages && performance.now() < latest; ) count += await burst();
}
