import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { NodeFolder } from './folder.ts';

/** Enough for a start and for what went wrong after it. */
const logMaxChars = 512 * 1024;

/** The processes of one server: its launcher and the server itself, in a process group of their own. */
export type NodeProcess = {
  readonly group: number;
  /** The server's log so far. */
  output(): string;
  /** Both processes are gone. */
  readonly ended: Promise<void>;
  hasEnded(): boolean;
  /** Does nothing when the processes are gone. */
  signal(signal: NodeJS.Signals): void;
};

export function startNodeProcess(folder: NodeFolder, javaHome: string): NodeProcess {
  const child = spawn(join(folder.home, 'bin', 'elasticsearch'), [], {
    ...folder.account,
    cwd: folder.path,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      ES_JAVA_HOME: javaHome,
      ES_PATH_CONF: folder.configuration,
      ES_TMPDIR: join(folder.path, 'tmp'),
      CLI_JAVA_OPTS: '-Xms16m -Xmx64m',
    },
  });
  let output = '';
  let over = false;
  const keep = (text: string): void => {
    output = (output + text).slice(-logMaxChars);
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', keep);
    // A test that forgets its server must still end.
    (stream as unknown as { unref(): void }).unref();
  }
  child.unref();
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      over = true;
      resolve();
    };
    child.once('error', (error) => {
      keep(`${error.message}\n`);
      end();
    });
    // The server inherits the launcher's output: it closes when the last of them is gone.
    child.once('close', end);
  });
  const group = child.pid ?? 0;
  return {
    group,
    output: () => output,
    ended,
    hasEnded: () => over,
    signal: (signal) => {
      if (over || group === 0) return;
      try {
        process.kill(-group, signal);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    },
  };
}
