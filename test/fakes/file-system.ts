/** A disk in memory that fails, stalls and forgets on command. */
import { dirname } from 'node:path';
import type { AppendFile, FileSystem, ReadFile } from '../../extproc/journal/fs.ts';

/** `content` is what processes see, `durable` what a power failure cannot take. */
type Inode = { content: Buffer; durable: Buffer };
export type Stall = { started: Promise<void>; release: () => void };
type Gate = { start: () => void; opened: Promise<void> };
type Verb = 'write' | 'sync';

/** 0 <= n < 1, the same sequence for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export class FakeFileSystem implements FileSystem {
  /** Calls that reached the disk, failed ones included. */
  counts = { writes: 0, datasyncs: 0, directorySyncs: 0 };
  diskMaxBytes = Number.POSITIVE_INFINITY;
  #entries = new Map<string, Inode>();
  #durableEntries = new Map<string, Inode>();
  #directories = new Set<string>();
  #locks = new Set<string>();
  #generation = 0;
  /** Undefined lets one call pass. */
  #failures: Record<Verb, (string | undefined)[]> = { write: [], sync: [] };
  #stalls: Record<Verb, Gate[]> = { write: [], sync: [] };
  #shortWrites: number[] = [];

  /** The write after `passing` others. */
  failNextWrite(code: string, passing = 0): void {
    this.#failures.write.push(...new Array<undefined>(passing).fill(undefined), code);
  }

  failNextSync(code: string, passing = 0): void {
    this.#failures.sync.push(...new Array<undefined>(passing).fill(undefined), code);
  }

  /** The next write takes this many bytes and says so. */
  shortWrite(bytes: number): void {
    this.#shortWrites.push(bytes);
  }

  /** The next datasync begins but returns only after `release`; it covers what was written when it began. */
  stallSync(): Stall {
    return this.#stall('sync');
  }

  stallWrite(): Stall {
    return this.#stall('write');
  }

  /** The process dies: open files and locks are gone, every byte written stays. */
  kill(): void {
    this.#generation += 1;
    this.#locks.clear();
    this.#failures = { write: [], sync: [] };
    this.#stalls = { write: [], sync: [] };
    this.#shortWrites = [];
  }

  /**
   * The power fails. Without `random` every unsynced byte and directory entry is forgotten; with it each file keeps a
   * prefix of its unsynced bytes, some whole sectors of that read as zeros when `holes`, and each entry may go either way.
   */
  crash(random?: () => number, holes = false): void {
    this.kill();
    for (const path of new Set([...this.#entries.keys(), ...this.#durableEntries.keys()])) {
      const now = this.#entries.get(path);
      const kept = random !== undefined && random() < 0.5 ? now : this.#durableEntries.get(path);
      if (kept === undefined) this.#entries.delete(path);
      else this.#entries.set(path, kept);
    }
    for (const inode of this.#entries.values()) {
      inode.content = random === undefined ? inode.durable : afterPowerFailure(inode, random, holes);
      inode.durable = inode.content;
    }
    this.#durableEntries = new Map(this.#entries);
  }

  paths(): string[] {
    return [...this.#entries.keys()].sort();
  }

  bytesOf(path: string): Buffer {
    return Buffer.from(this.#inode(path).content);
  }

  /** Puts a file there as if it had always been. */
  plant(path: string, bytes: Uint8Array): void {
    const inode = { content: Buffer.from(bytes), durable: Buffer.from(bytes) };
    this.#entries.set(path, inode);
    this.#durableEntries.set(path, inode);
    for (let entry = dirname(path); entry !== dirname(entry); entry = dirname(entry)) this.#directories.add(entry);
  }

  flipBit(path: string, bit: number): void {
    const bytes = this.bytesOf(path);
    bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    this.plant(path, bytes);
  }

  cut(path: string, bytes: number): void {
    this.plant(path, this.bytesOf(path).subarray(0, bytes));
  }

  /** Whether a power failure now would keep this file as it is. */
  isDurable(path: string): boolean {
    const inode = this.#entries.get(path);
    return inode !== undefined && this.#durableEntries.get(path) === inode && inode.content.equals(inode.durable);
  }

  async makeDirectory(path: string): Promise<void> {
    for (let entry = path; entry !== dirname(entry); entry = dirname(entry)) this.#directories.add(entry);
  }

  async list(directory: string): Promise<string[]> {
    if (!this.#directories.has(directory)) throw systemError('ENOENT', directory);
    const names = [...this.paths(), ...this.#directories]
      .filter((path) => path.startsWith(`${directory}/`))
      .map((path) => path.slice(directory.length + 1).split('/')[0] ?? '');
    return [...new Set(names)].sort();
  }

  async syncDirectory(directory: string): Promise<void> {
    this.counts.directorySyncs += 1;
    await this.#meetFault('sync');
    for (const path of this.#durableEntries.keys()) {
      if (dirname(path) === directory && !this.#entries.has(path)) this.#durableEntries.delete(path);
    }
    for (const [path, inode] of this.#entries) if (dirname(path) === directory) this.#durableEntries.set(path, inode);
  }

  async createAppend(path: string): Promise<AppendFile> {
    if (this.#entries.has(path)) throw systemError('EEXIST', path);
    this.#entries.set(path, { content: Buffer.alloc(0), durable: Buffer.alloc(0) });
    return this.openAppend(path);
  }

  async openAppend(path: string): Promise<AppendFile> {
    const inode = this.#inode(path);
    const check = this.#handle();
    let underWay = 0;
    const counted = async <T>(run: () => Promise<T>): Promise<T> => {
      underWay += 1;
      return run().finally(() => {
        underWay -= 1;
      });
    };
    const writer: AppendFile = {
      writev: async (buffers) => {
        check();
        const bytes = Buffer.concat(buffers);
        this.counts.writes += 1;
        await this.#meetFault('write');
        check();
        const count = Math.min(bytes.length, this.#shortWrites.shift() ?? bytes.length, this.#roomBytes());
        if (count === 0 && bytes.length > 0) throw systemError('ENOSPC', path);
        inode.content = Buffer.concat([inode.content, bytes.subarray(0, count)]);
        return count;
      },
      datasync: () => this.#datasync(inode, check),
      close: async () => {},
    };
    return {
      writev: (buffers) => counted(() => writer.writev(buffers)),
      datasync: () => counted(() => writer.datasync()),
      // On a real disk the descriptor's number could be another file's by the time the call gets to it.
      close: async () => {
        if (underWay > 0) throw new Error(`${path} is closed while a call on it is under way`);
      },
    };
  }

  async openRead(path: string): Promise<ReadFile> {
    const inode = this.#inode(path);
    const check = this.#handle();
    return {
      read: async (offset, maxBytes) => {
        check();
        return Buffer.from(inode.content.subarray(offset, offset + maxBytes));
      },
      size: async () => inode.content.length,
      datasync: () => this.#datasync(inode, check),
      close: async () => {},
    };
  }

  async size(path: string): Promise<number> {
    return this.#inode(path).content.length;
  }

  async truncate(path: string, bytes: number): Promise<void> {
    const inode = this.#inode(path);
    inode.content = inode.content.subarray(0, bytes);
    await this.#meetFault('sync');
    inode.durable = inode.content;
  }

  async rename(from: string, to: string): Promise<void> {
    this.#entries.set(to, this.#inode(from));
    this.#entries.delete(from);
  }

  async remove(path: string): Promise<void> {
    this.#inode(path);
    this.#entries.delete(path);
  }

  async removeEmptyDirectory(path: string): Promise<void> {
    const below = [...this.#entries.keys(), ...this.#directories].some((one) => one.startsWith(`${path}/`));
    if (!below) this.#directories.delete(path);
  }

  async readSmall(path: string, maxBytes: number): Promise<{ bytes: Uint8Array; mode: number } | undefined> {
    const inode = this.#entries.get(path);
    if (inode === undefined) return undefined;
    if (inode.content.length > maxBytes) throw systemError('EFBIG', path);
    return { bytes: Buffer.from(inode.content), mode: 0o600 };
  }

  async writeSmall(path: string, bytes: Uint8Array): Promise<void> {
    await this.#meetFault('write');
    await this.#meetFault('sync');
    this.plant(path, bytes);
  }

  async createSmall(path: string, bytes: Uint8Array): Promise<boolean> {
    if (this.#entries.has(path)) return false;
    await this.writeSmall(path, bytes);
    return true;
  }

  async lock(directory: string) {
    if (this.#locks.has(directory)) return { status: 'held', holder: 'process 1' } as const;
    this.#locks.add(directory);
    const generation = this.#generation;
    const release = async () => {
      if (generation === this.#generation) this.#locks.delete(directory);
    };
    return { status: 'acquired', release } as const;
  }

  async #datasync(inode: Inode, check: () => void): Promise<void> {
    check();
    const covered = inode.content;
    this.counts.datasyncs += 1;
    await this.#meetFault('sync');
    check();
    inode.durable = covered;
  }

  #inode(path: string): Inode {
    const inode = this.#entries.get(path);
    if (inode === undefined) throw systemError('ENOENT', path);
    return inode;
  }

  /** Handles end with their process. */
  #handle(): () => void {
    const generation = this.#generation;
    return () => {
      if (generation !== this.#generation) throw systemError('EBADF', 'a handle of a dead process');
    };
  }

  #roomBytes(): number {
    let used = 0;
    for (const inode of new Set(this.#entries.values())) used += inode.content.length;
    return Math.max(0, this.diskMaxBytes - used);
  }

  async #meetFault(verb: Verb): Promise<void> {
    const stall = this.#stalls[verb].shift();
    stall?.start();
    await stall?.opened;
    const code = this.#failures[verb].shift();
    if (code !== undefined) throw systemError(code, verb);
  }

  #stall(verb: Verb): Stall {
    const started = Promise.withResolvers<void>();
    const opened = Promise.withResolvers<void>();
    this.#stalls[verb].push({ start: started.resolve, opened: opened.promise });
    return { started: started.promise, release: opened.resolve };
  }
}

function afterPowerFailure(inode: Inode, random: () => number, holes: boolean): Buffer {
  const { content, durable } = inode;
  const appended = content.length >= durable.length && content.subarray(0, durable.length).equals(durable);
  if (!appended) return random() < 0.5 ? content : durable;
  const length = durable.length + Math.floor(random() * (content.length - durable.length + 1));
  const kept = Buffer.from(content.subarray(0, length));
  for (let at = 0; holes && at < length; at += 512) {
    // A sector that was half synced keeps that half.
    if (at + 512 > durable.length && random() < 0.3)
      kept.fill(0, Math.max(at, durable.length), Math.min(at + 512, length));
  }
  return kept;
}

function systemError(code: string, about: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${about}`), { code });
}
