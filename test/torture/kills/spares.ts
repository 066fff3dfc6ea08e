/** Processors that are loaded and wait, so that a killed one is replaced in a moment. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { KillPoint } from '../../fakes/kill-point.ts';
import { durableFileVariable } from '../../fakes/kill-point.ts';

export type Life = {
  readonly pid: number;
  /** Resolves when it takes requests, or is gone before it came so far. */
  readonly recording: Promise<'recording' | 'gone'>;
  /** The exit code or signal. */
  readonly exited: Promise<number | string>;
  signal(name: NodeJS.Signals): void;
};

type Spare = { child: ChildProcess; loaded: Promise<void>; exited: Promise<number | string> };
type Options = { configFile: string; policyFile: string; durableFile: string; logFile: string };

const preload = new URL('../../fakes/kill-preload.ts', import.meta.url).href;
const script = fileURLToPath(new URL('../../fakes/serve-spare.ts', import.meta.url));

export class Spares {
  /** What all of them logged. */
  readonly logFile: string;
  readonly #options: Options;
  readonly #all = new Set<Spare>();
  #next: Spare;

  constructor(options: Options) {
    this.#options = options;
    this.logFile = options.logFile;
    this.#next = this.#load();
  }

  /** Begins a life, and loads the one after it. */
  async begin(killPoint: KillPoint | null): Promise<Life> {
    const { child, loaded, exited } = this.#next;
    await loaded;
    this.#next = this.#load();
    const recording = new Promise<'recording' | 'gone'>((resolve) => {
      child.once('message', () => resolve('recording'));
      void exited.then(() => resolve('gone'));
    });
    child.send({ killPoint });
    return { pid: child.pid ?? 0, recording, exited, signal: (name) => void child.kill(name) };
  }

  /** Every processor that was ever loaded is gone afterwards. */
  async endAll(): Promise<void> {
    for (const { child } of this.#all) child.kill('SIGKILL');
    await Promise.all([...this.#all].map(({ exited }) => exited));
  }

  #load(): Spare {
    const { configFile, policyFile, durableFile, logFile } = this.#options;
    const log = openSync(logFile, 'a', 0o600);
    const args = ['--import', preload, script, '--config', configFile, '--policy', policyFile];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', log, log, 'ipc'],
      env: { ...process.env, [durableFileVariable]: durableFile },
    });
    closeSync(log);
    const exited = new Promise<number | string>((resolve) => {
      child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
    });
    const loaded = new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      void exited.then((status) =>
        reject(new Error(`a processor ended while it loaded, ${status}:\n${tail(logFile)}`)),
      );
    });
    loaded.catch(() => {});
    const spare = { child, loaded, exited };
    this.#all.add(spare);
    void exited.then(() => this.#all.delete(spare));
    return spare;
  }
}

function tail(file: string): string {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text.trimEnd().split('\n').slice(-5).join('\n');
}
