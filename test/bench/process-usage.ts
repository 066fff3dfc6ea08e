import { readFileSync } from 'node:fs';

/** CPU that a process used since its start, all threads together and its main thread alone. */
export type CpuUsage = { allSeconds: number; mainSeconds: number };

/** USER_HZ, which is 100 on every Linux that Node runs on (man 7 time). */
const ticksPerSecond = 100;

export function cpuUsage(pid: number): CpuUsage {
  return {
    allSeconds: cpuSeconds(readFileSync(`/proc/${pid}/stat`, 'utf8')),
    mainSeconds: cpuSeconds(readFileSync(`/proc/${pid}/task/${pid}/stat`, 'utf8')),
  };
}

/** Fields 14 and 15 of man 5 proc_pid_stat, user and system time; the command in field 2 may hold spaces and brackets. */
export function cpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
