import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';

/** A process of the demo: its output goes to a file, and its last lines into the error when it dies early. */
export type Child = {
  readonly name: string;
  readonly logFile: string;
  readonly pid: number;
  readonly process: ChildProcess;
  /** Resolves with the exit code or signal when the process is gone. */
  readonly exited: Promise<number | string>;
  /** SIGTERM, and SIGKILL when it has not ended after `timeoutMs`. */
  stop(timeoutMs?: number): Promise<void>;
};

/** Starts a program; its standard output and error are appended to `logFile`. */
export function startChild(options: {
  name: string;
  command: string;
  args: readonly string[];
  logFile: string;
  env?: NodeJS.ProcessEnv;
}): Child {
  const { name, command, args, logFile, env = process.env } = options;
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const exited = new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  // Not at its exit: a child of its own may still write to what it has inherited.
  child.once('close', () => log.end());
  return {
    name,
    logFile,
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

/** Polls until `check` gives a value; throws when one of the processes ends first, with its last words, or time is over. */
export async function waitFor<T>(
  what: string,
  children: readonly Child[],
  check: () => Promise<T | undefined>,
  timeoutMs = 30_000,
): Promise<T> {
  let ended: { child: Child; status: number | string } | undefined;
  for (const child of children) {
    void child.exited.then((status) => {
      ended ??= { child, status };
    });
  }
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await check();
    if (value !== undefined) return value;
    if (ended !== undefined) {
      const { child, status } = ended;
      throw new Error(`${child.name} ended with ${status}:\n${lastLines(child.logFile)}`);
    }
    if (performance.now() > deadline) throw new Error(`${what} after ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
}
