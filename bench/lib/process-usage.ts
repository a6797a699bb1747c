import { readdir, readFile } from 'node:fs/promises';

/** Memory that a process holds, MB of 2^20 bytes; null where there is no /proc. */
export async function rssMbOf(pid: number | undefined): Promise<number | null> {
  return memoryMb(pid, 'VmRSS');
}

/** CPU time of a process since its start, all threads, ms; null where there is no /proc. */
export async function cpuMsOf(pid: number | undefined): Promise<number | null> {
  const fields = await statOf(pid);
  // proc(5): utime and stime are fields 14 and 15, in ticks of 10 ms.
  return fields === null ? null : (Number(fields[11]) + Number(fields[12])) * 10;
}

/** What a process and all that it started have used; null where there is no /proc. */
export interface TreeUsage {
  readonly cpuMs: number;
  /** Sum of the most that each of them held, MB of 2^20 bytes. */
  readonly peakRssMb: number;
}

export async function treeUsageOf(root: number | undefined): Promise<TreeUsage | null> {
  if (root === undefined || (await statOf(root)) === null) return null;
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    const fields = Number.isInteger(pid) ? await statOf(pid) : null;
    if (fields !== null) parents.set(pid, Number(fields[1]));
  }
  const isOurs = (pid: number): boolean => {
    if (pid === root) return true;
    const parent = parents.get(pid);
    return parent !== undefined && parent > 1 && isOurs(parent);
  };
  let cpuMs = 0;
  let peakRssMb = 0;
  for (const pid of parents.keys()) {
    if (!isOurs(pid)) continue;
    cpuMs += (await cpuMsOf(pid)) ?? 0;
    peakRssMb += (await memoryMb(pid, 'VmHWM')) ?? 0;
  }
  return { cpuMs, peakRssMb };
}

/** The fields of /proc/PID/stat behind the name, which may hold spaces; null where there is none. */
async function statOf(pid: number | undefined): Promise<readonly string[] | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

async function memoryMb(pid: number | undefined, field: 'VmRSS' | 'VmHWM'): Promise<number | null> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  } catch {
    return null;
  }
}
