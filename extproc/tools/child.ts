import { spawn } from 'node:child_process';

/** Enough for every version line and for the last words of a failed install. */
const outputMaxChars = 64 * 1024;

/** How a child ended. `absent`: there is no such command. `broken`: it could not be started, or ran past its time. */
export type ChildResult =
  | { kind: 'ended'; status: number; output: string }
  | { kind: 'absent' }
  | { kind: 'broken'; why: string };

/**
 * @property timeoutMs the child is killed after it
 * @property signal ends it by SIGTERM
 * @property onStarted what it throws is no failure of the child
 * @property heartbeat called every `everyMs` while the child runs
 */
export type ChildOptions = {
  env: NodeJS.ProcessEnv;
  timeoutMs: number;
  cwd?: string;
  signal?: AbortSignal;
  onStarted?: (pid: number) => void;
  heartbeat?: { everyMs: number; beat: (elapsedMs: number) => void };
};

/** Runs a command to its end without a shell and keeps the end of what it printed, both streams together. */
export function runChild(command: string, args: readonly string[], options: ChildOptions): Promise<ChildResult> {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(command, args, {
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    try {
      if (child.pid !== undefined) options.onStarted?.(child.pid);
    } catch {
      // It is over already, or may not be asked for.
    }
    let output = '';
    let late = false;
    const keep = (text: string): void => {
      output = (output + text).slice(-outputMaxChars);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    const deadline = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
      // A grandchild that lives on would keep the pipes open, and `close` would never come.
      child.stdout.destroy();
      child.stderr.destroy();
    }, options.timeoutMs);
    const { heartbeat } = options;
    const beats = heartbeat && setInterval(() => heartbeat.beat(performance.now() - started), heartbeat.everyMs);
    const settle = (result: ChildResult): void => {
      clearTimeout(deadline);
      clearInterval(beats);
      resolve(result);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      settle(error.code === 'ENOENT' ? { kind: 'absent' } : { kind: 'broken', why: error.message });
    });
    child.once('close', (status, signal) => {
      if (late)
        settle({
          kind: 'broken',
          why: `it did not end within ${Math.round(options.timeoutMs / 1000)} s`,
        });
      else if (status === null) settle({ kind: 'broken', why: `it was ended by ${signal}` });
      else settle({ kind: 'ended', status, output });
    });
  });
}

/** The last line that says something, cut to a length that fits a sentence. */
export function lastWords(output: string): string {
  const line = output.trim().split('\n').at(-1)?.trim() ?? '';
  return line === '' ? 'nothing' : line.slice(0, 300);
}
