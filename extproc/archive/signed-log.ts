/** A file of signed lines that only grows: the checkpoints of a writer, or its tombstones. */
import type { KeyObject } from 'node:crypto';
import { dirname } from 'node:path';
import { type AppendFile, type FileSystem, isSystemError } from '../journal/fs.ts';
import type { SignedEntry, SignedFile } from './checkpoint.ts';
import { appendAll } from './open-segment.ts';
import { lineHash, type SignedKind, type SigningKey, signedLine } from './signing.ts';

/** A larger one is not read into memory; at one checkpoint a minute it is years of them. */
const logMaxBytes = 1024 * 1024 * 1024;

type Numbered = { number: number; previous: string | null };

export class SignedLog<T extends Numbered> {
  readonly #path: string;
  readonly #kind: SignedKind;
  readonly #key: SigningKey;
  readonly #fileSystem: FileSystem;
  /** The last line; undefined before the first. */
  last: SignedEntry<T> | undefined;
  count = 0;
  #bytes = 0;
  #isEntryDurable = false;

  constructor(path: string, kind: SignedKind, key: SigningKey, fileSystem: FileSystem) {
    this.#path = path;
    this.#kind = kind;
    this.#key = key;
    this.#fileSystem = fileSystem;
  }

  /** What is there; a line that a crash left half written is cut off. What else is wrong in it is for `verify` to tell. */
  async open(read: (text: string, publicKey: KeyObject) => SignedFile<T>): Promise<SignedEntry<T>[]> {
    await this.#sync();
    const text = await readLog(this.#path, this.#fileSystem);
    const { entries, tornBytes } = read(text, this.#key.publicKey);
    if (tornBytes > 0) await this.#fileSystem.truncate(this.#path, Buffer.byteLength(text) - tornBytes);
    this.#bytes = Buffer.byteLength(text) - tornBytes;
    this.last = entries.at(-1);
    this.count = this.last?.value.number ?? 0;
    return entries;
  }

  /** Takes in what another process appended meanwhile; a line that is there in part is left to it. */
  async follow(read: (text: string, publicKey: KeyObject) => SignedFile<T>): Promise<void> {
    const text = await readFrom(this.#path, this.#bytes, this.#fileSystem);
    const { entries, tornBytes } = read(text, this.#key.publicKey);
    this.#bytes += Buffer.byteLength(text) - tornBytes;
    this.last = entries.at(-1) ?? this.last;
    this.count = this.last?.value.number ?? 0;
  }

  /** Durable on return. */
  async append(value: Omit<T, 'number' | 'previous'>): Promise<SignedEntry<T>> {
    const whole = { ...value, number: this.count + 1, previous: this.last?.hash ?? null } as T;
    const line = signedLine(this.#kind, whole, this.#key);
    const file = await openOrCreate(this.#path, this.#fileSystem, this.#isEntryDurable);
    this.#isEntryDurable = true;
    try {
      await appendAll(file, [Buffer.from(line)]);
      await file.datasync();
    } finally {
      await file.close();
    }
    this.last = { line: line.trimEnd(), hash: lineHash(line), value: whole };
    this.count = whole.number;
    this.#bytes += Buffer.byteLength(line);
    return this.last;
  }

  /** What a process wrote and did not sync before it died may be in the memory of the system alone: nothing may follow from it then. */
  async #sync(): Promise<void> {
    try {
      const file = await this.#fileSystem.openRead(this.#path);
      await file.datasync().finally(() => file.close());
    } catch (thrown) {
      if (isSystemError(thrown, 'ENOENT')) return;
      throw thrown;
    }
    await this.#fileSystem.syncDirectory(dirname(this.#path));
    this.#isEntryDurable = true;
  }
}

/**
 * Its entry in the directory is durable on return; a file that is there is believed only where that was seen to before,
 * since its making may have failed half way.
 */
export async function openOrCreate(path: string, fileSystem: FileSystem, isEntryDurable: boolean): Promise<AppendFile> {
  const found = await existing(path, fileSystem);
  const file = found ?? (await fileSystem.createAppend(path));
  try {
    if (found === undefined || !isEntryDurable) await fileSystem.syncDirectory(dirname(path));
    return file;
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}

async function existing(path: string, fileSystem: FileSystem): Promise<AppendFile | undefined> {
  try {
    return await fileSystem.openAppend(path);
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
}

/** Empty when there is none. */
export function readLog(path: string, fileSystem: FileSystem): Promise<string> {
  return readFrom(path, 0, fileSystem);
}

async function readFrom(path: string, offset: number, fileSystem: FileSystem): Promise<string> {
  try {
    const file = await fileSystem.openRead(path);
    try {
      const bytes = await file.size();
      if (bytes > logMaxBytes) throw new Error(`${path} is larger than ${logMaxBytes} bytes`);
      return bytes <= offset ? '' : Buffer.from(await file.read(offset, bytes - offset)).toString('utf8');
    } finally {
      await file.close();
    }
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT')) return '';
    throw thrown;
  }
}
