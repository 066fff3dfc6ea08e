import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./reap.ts', import.meta.url));

/** Ends a server and removes its folder when this process ends, however it ends. */
export type Reaper = {
  /** The process group to end; null when there is none now. */
  watch(group: number | null): void;
  /** Does its work now. */
  finish(): Promise<void>;
};

/** A process beside this one: a process that is killed cleans nothing up itself. */
export function startReaper(folder: string): Reaper {
  // A group of its own: Ctrl-C in a terminal must not end it before its work. No output of ours: a test run waits for
  // the output of a test file to close.
  const child = spawn(process.execPath, [script, folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  child.stdin.on('error', () => {});
  child.unref();
  return {
    watch: (group) => void child.stdin.write(`${group ?? 0}\n`),
    finish: () => {
      child.ref();
      child.stdin.end();
      return ended;
    },
  };
}
