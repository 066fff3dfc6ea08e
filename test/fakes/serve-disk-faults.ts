import fs from 'node:fs';
import type { AppendFile, FileSystem } from '../../extproc/journal/fs.ts';

/**
 * - `hold`: from now on a datasync of the journal (or a write, where `verb` says so) begins only when it is let go.
 * - `pass`: lets go those that wait now; later ones wait again.
 * - `release`: lets go these and all later ones.
 * - `slow`: from now on each write and each datasync takes `ms` longer.
 * - `fail`: the next write or datasync fails with this code; a write takes `takesBytes` of what it was given first.
 */
export type DiskCommand =
  | { do: 'hold'; verb?: Verb }
  | { do: 'pass' | 'release' | 'status' }
  | { do: 'slow'; ms: number }
  | { do: 'fail'; verb: Verb; code: string; takesBytes?: number };

type Verb = 'write' | 'sync';

/**
 * - `held`: calls that wait.
 * - `fdatasyncs`: calls of the real fdatasync that succeeded; `writes`: those of the journal.
 * - `unsynced`: writes that began since the last datasync of the journal that succeeded began.
 */
export type DiskStatus = { held: number; fdatasyncs: number; writes: number; unsynced: number };

type Fault = Extract<DiskCommand, { do: 'fail' }>;

/** A disk that stalls and fails on command, over a real one; only the journal's segment files are met. */
export class FaultyDisk {
  readonly fileSystem: FileSystem;
  #gate: PromiseWithResolvers<void> | undefined;
  #gated: Verb = 'sync';
  #held = 0;
  #fdatasyncs = 0;
  #writes = 0;
  #syncedWrites = 0;
  #fault: Fault | undefined;
  #slowMs = 0;

  constructor(real: FileSystem) {
    this.#countFdatasync();
    this.fileSystem = {
      ...real,
      createAppend: async (path) => this.#faulty(path, await real.createAppend(path)),
      openAppend: async (path) => this.#faulty(path, await real.openAppend(path)),
    };
  }

  obey(command: DiskCommand): DiskStatus {
    if (command.do === 'fail') this.#fault = command;
    if (command.do === 'slow') this.#slowMs = command.ms;
    const gate = this.#gate;
    if (command.do === 'hold') {
      this.#gate ??= Promise.withResolvers();
      this.#gated = command.verb ?? 'sync';
    }
    if (command.do === 'pass' || command.do === 'release') {
      this.#gate = command.do === 'pass' && gate !== undefined ? Promise.withResolvers() : undefined;
      this.#held = 0;
      gate?.resolve();
    }
    const unsynced = this.#writes - this.#syncedWrites;
    return { held: this.#held, fdatasyncs: this.#fdatasyncs, writes: this.#writes, unsynced };
  }

  #faulty(path: string, file: AppendFile): AppendFile {
    if (!path.endsWith('.journal')) return file;
    return {
      writev: async (buffers) => {
        this.#writes += 1;
        await this.#letGo('write');
        await this.#slowed();
        const fault = this.#takeFault('write');
        if (fault === undefined) return file.writev(buffers);
        if (fault.takesBytes === undefined) throw systemError(fault.code);
        // A disk that fills up takes a part first, and fails with the rest.
        this.#fault = { do: 'fail', verb: 'write', code: fault.code };
        return file.writev([Buffer.concat(buffers).subarray(0, fault.takesBytes)]);
      },
      datasync: async () => {
        await this.#letGo('sync');
        await this.#slowed();
        const fault = this.#takeFault('sync');
        if (fault !== undefined) throw systemError(fault.code);
        const covered = this.#writes;
        await file.datasync();
        this.#syncedWrites = covered;
      },
      close: () => file.close(),
    };
  }

  async #letGo(verb: Verb): Promise<void> {
    if (this.#gate === undefined || this.#gated !== verb) return;
    this.#held += 1;
    await this.#gate.promise;
  }

  async #slowed(): Promise<void> {
    if (this.#slowMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#slowMs));
  }

  #takeFault(verb: Fault['verb']): Fault | undefined {
    const fault = this.#fault?.verb === verb ? this.#fault : undefined;
    if (fault !== undefined) this.#fault = undefined;
    return fault;
  }

  /** Counted at the system call's own door, so that a datasync which only pretends is seen. */
  #countFdatasync(): void {
    const real = fs.fdatasync;
    const counting = (descriptor: number, done: fs.NoParamCallback): void =>
      real(descriptor, (error) => {
        if (error === null) this.#fdatasyncs += 1;
        done(error);
      });
    fs.fdatasync = counting as typeof fs.fdatasync;
  }
}

function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: fault of the test`), { code });
}
