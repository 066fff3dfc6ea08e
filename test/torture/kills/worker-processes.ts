import { readdirSync, readFileSync } from 'node:fs';
import { durableFileVariable } from '../../fakes/kill-point.ts';

/**
 * The worker processes of one stand that live now, also those that a dead primary left and those that have no lock yet.
 * Known by the variable that they all inherit.
 */
export function workerProcesses(durableFile: string): number[] {
  const variable = `${durableFileVariable}=${durableFile}`;
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const isWorker = partsOf(name, 'cmdline').some((part) => part.endsWith('/extproc/worker.ts'));
    return isWorker && partsOf(name, 'environ').includes(variable) ? [Number(name)] : [];
  });
}

/** None of a process that is over. */
function partsOf(pid: string, file: 'cmdline' | 'environ'): string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
