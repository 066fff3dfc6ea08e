import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A real file system of a few megabytes (tmpfs), which can be filled up and made read-only. Needs root. */
export type SmallDisk = {
  readonly path: string;
  /** Takes what is free, to the last byte. */
  fill(): void;
  /** Gives back what `fill` took. */
  empty(): void;
  /** The system refuses it while a file is open for writing. */
  setReadOnly(readOnly: boolean): void;
  unmount(): void;
};

/** Why no disk can be mounted here; undefined where it can. In CI it must be possible. */
export function noSmallDisk(): string | undefined {
  if (process.env.CI === 'true' || process.getuid?.() === 0) return undefined;
  return 'mounting a small disk needs root';
}

export function mountSmallDisk(bytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'skilltape-disk-'));
  mount('-t', 'tmpfs', '-o', `size=${bytes},mode=700`, 'skilltape-test', path);
  const ballast = join(path, 'ballast');
  return {
    path,
    fill() {
      const file = openSync(ballast, 'a', 0o600);
      try {
        for (let piece = 1024 * 1024; piece > 0; ) if (!writeAll(file, piece)) piece = Math.floor(piece / 2);
      } finally {
        closeSync(file);
      }
    },
    empty: () => rmSync(ballast, { force: true }),
    setReadOnly: (readOnly) => mount('-o', `remount,${readOnly ? 'ro' : 'rw'}`, path),
    unmount() {
      execFileSync('umount', [path], { stdio: 'pipe' });
      rmdirSync(path);
    },
  };
}

function writeAll(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes)) === bytes;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw thrown;
  }
}

function mount(...args: readonly string[]): void {
  execFileSync('mount', args, { stdio: 'pipe' });
}
