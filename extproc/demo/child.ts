import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';

/** A process of the demo: its output goes to a file, and its last lines into the error when it dies early. */
export type Child = {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Resolves with the exit code or signal when the process is gone. */
  readonly exited: Promise<number | string>;
  /** SIGTERM, and SIGKILL when it has not ended after `timeoutMs`. */
  stop(timeoutMs?: number): Promise<void>;
};

/** Starts a program; its standard output and error are appended to `logFile`. */
export function startChild(command: string, args: readonly string[], logFile: string, env = process.env): Child {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const exited = new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  void exited.then(() => log.end());
  return {
    pid: child.pid ?? -1,
    process: child,
    exited,
    async stop(timeoutMs = 10_000) {
      child.kill('SIGTERM');
      // A stopped (SIGSTOP) process takes no SIGTERM before it goes on.
      child.kill('SIGCONT');
      const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Polls until `check` gives a value; throws `what` when the process dies first or `timeoutMs` pass. */
export async function waitFor<T>(
  what: string,
  child: Child,
  check: () => Promise<T | undefined>,
  timeoutMs = 30_000,
): Promise<T> {
  let ended: number | string | undefined;
  void child.exited.then((status) => {
    ended = status;
  });
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await check();
    if (value !== undefined) return value;
    if (ended !== undefined) throw new Error(`${what} ended with ${ended} before it was ready`);
    if (performance.now() > deadline) throw new Error(`${what} was not ready after ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
