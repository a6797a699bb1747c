import { readFile } from 'node:fs/promises';

/** Memory that a process holds, MB of 2^20 bytes; null where there is no /proc. */
export async function rssMbOf(pid: number | undefined): Promise<number | null> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  } catch {
    return null;
  }
}

/** CPU time of a process since its start, all threads, ms; null where there is no /proc. */
export async function cpuMsOf(pid: number | undefined): Promise<number | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // proc(5): utime and stime are fields 14 and 15, in ticks of 10 ms; field 2 may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return null;
  }
}
