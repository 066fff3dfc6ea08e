import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { isCompressed, siblingsOf } from './siblings.ts';

/**
 * How far the log was read. `tail` is a hash of the bytes before `offset`: a file that was cut and has grown again is
 * not taken for the one that was read. `skipping`: inside a line that is longer than is read.
 */
export type LogPlace = { device: number; inode: number; offset: number; tail: string; skipping: boolean };

/** Where a line begins; with its text it names the line for good. */
export type LinePlace = { inode: number; offset: number };

export type LogEvent =
  | { kind: 'line'; text: string; at: LinePlace }
  | { kind: 'unreadable'; reason: string; at: LinePlace }
  | { kind: 'gap'; reason: string; at: LinePlace };

/**
 * - `read`: `atEnd` says that nothing more was there. `place` is where to go on.
 * - `waiting`: there is no log to read; `reason` says why.
 */
export type LogRead =
  | { kind: 'read'; events: LogEvent[]; place: LogPlace; atEnd: boolean }
  | { kind: 'waiting'; reason: string };

export type FollowerOptions = { file: string; lineMaxBytes: number };

const chunkMinBytes = 256 * 1024;
const tailBytes = 256;
const newline = 0x0a;

/**
 * Reads Envoy's access log behind Envoy, across its rotation by rename or by copying and cutting. Keeps no place of its
 * own: what was read and not settled is read again with the old place.
 */
export class Follower {
  readonly #file: string;
  readonly #lineMaxBytes: number;
  readonly #chunkBytes: number;
  #handle: FileHandle | null = null;
  #opened: Stats | null = null;

  constructor({ file, lineMaxBytes }: FollowerOptions) {
    this.#file = file;
    this.#lineMaxBytes = lineMaxBytes;
    this.#chunkBytes = Math.max(chunkMinBytes, 2 * lineMaxBytes);
  }

  /** At most one chunk of lines from `place` on; null begins with the log as it is now. */
  async read(place: LogPlace | null): Promise<LogRead> {
    try {
      const current = await statOrNull(this.#file);
      if (current !== null && !current.isFile()) return { kind: 'waiting', reason: `${this.#file} is no regular file` };
      if (place === null && current === null) return { kind: 'waiting', reason: `${this.#file} is not there` };
      return await this.#readFrom(place ?? beginOf(current as Stats), current);
    } catch (thrown) {
      await this.close();
      const { code } = thrown as NodeJS.ErrnoException;
      if (typeof code !== 'string') throw thrown;
      return { kind: 'waiting', reason: `${this.#file} cannot be read (${code})` };
    }
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  async #readFrom(place: LogPlace, current: Stats | null): Promise<LogRead> {
    const known = await this.#known(place, current);
    if (known === null) return this.#lost(place, current);
    const { content } = known;
    const { events, next } = this.#linesOf(content, place);
    const settled = { ...next, tail: tailOf(known.before, content, next.offset - place.offset) };
    if (next.offset > place.offset) return { kind: 'read', events, place: settled, atEnd: false };
    if (current !== null && isSame(current, place)) return { kind: 'read', events, place, atEnd: true };
    return this.#afterTheEnd(place, content, current);
  }

  /** The bytes at the place with those before it; null when the file that was read is gone or was cut. */
  async #known(place: LogPlace, current: Stats | null): Promise<{ before: Buffer; content: Buffer } | null> {
    if (this.#handle === null || this.#opened === null || !isSame(this.#opened, place)) {
      const path = await this.#pathOf(place, current);
      if (path === null) return null;
      await this.#open(path);
    }
    const handle = this.#handle;
    return handle === null ? null : this.#bytesAt(handle, place);
  }

  async #bytesAt(handle: FileHandle, place: LogPlace): Promise<{ before: Buffer; content: Buffer } | null> {
    const from = Math.max(0, place.offset - tailBytes);
    const bytes = Buffer.alloc(place.offset - from + this.#chunkBytes);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, from);
    const before = bytes.subarray(0, Math.min(bytesRead, place.offset - from));
    if (hashOf(before) !== place.tail || before.length < place.offset - from) return null;
    return { before, content: bytes.subarray(before.length, bytesRead) };
  }

  async #open(path: string): Promise<void> {
    await this.close();
    // A pipe in the place of the log must not hold up the thread.
    this.#handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.#opened = await this.#handle.stat();
  }

  async #pathOf(place: LogPlace, current: Stats | null): Promise<string | null> {
    if (current !== null && isSame(current, place)) return this.#file;
    const siblings = await siblingsOf(this.#file);
    return siblings.find(({ stats }) => isSame(stats, place))?.path ?? null;
  }

  /** The rest may stand in the copy that was made before the log was cut. */
  async #lost(place: LogPlace, current: Stats | null): Promise<LogRead> {
    // Of a log of which nothing was read any file would be a copy.
    const candidates = place.offset === 0 ? [] : await siblingsOf(this.#file);
    for (const { path, stats } of candidates) {
      if (isCompressed(path) || stats.size < place.offset || isSame(stats, place)) continue;
      await this.#open(path);
      const copy = { ...place, device: stats.dev, inode: stats.ino };
      const known = this.#handle === null ? null : await this.#bytesAt(this.#handle, copy);
      if (known !== null) return { kind: 'read', events: [], place: copy, atEnd: false };
    }
    if (current === null) return { kind: 'waiting', reason: `${this.#file} is not there` };
    await this.close();
    const reason = 'the log was cut or replaced, and no uncompressed copy of what was not read is beside it';
    const at = { inode: place.inode, offset: place.offset };
    return { kind: 'read', events: [{ kind: 'gap', reason, at }], place: beginOf(current), atEnd: false };
  }

  /** Envoy writes to another file now, once there is something in it. */
  async #afterTheEnd(place: LogPlace, rest: Buffer, current: Stats | null): Promise<LogRead> {
    const next = await this.#next(current);
    if (next === null) return { kind: 'read', events: [], place, atEnd: true };
    // It may have grown between our reading and Envoy's going over to the next.
    const grown = (await this.#handle?.stat())?.size !== place.offset + rest.length;
    if (grown) return { kind: 'read', events: [], place, atEnd: false };
    const at = { inode: place.inode, offset: place.offset };
    const torn = rest.length > 0 && !place.skipping;
    const events: LogEvent[] = torn ? [{ kind: 'unreadable', reason: 'it is cut short', at }] : [];
    return { kind: 'read', events, place: beginOf(next), atEnd: false };
  }

  async #next(current: Stats | null): Promise<Stats | null> {
    const mine = (await this.#handle?.stat())?.mtimeMs ?? 0;
    const later = (await siblingsOf(this.#file))
      .filter(({ path, stats }) => !isCompressed(path) && stats.mtimeMs > mine && stats.size > 0)
      .filter(({ stats }) => this.#opened?.ino !== stats.ino && current?.ino !== stats.ino)
      .sort((a, b) => a.stats.mtimeMs - b.stats.mtimeMs);
    const [oldest] = later;
    if (oldest !== undefined) return oldest.stats;
    return current !== null && current.size > 0 ? current : null;
  }

  #linesOf(content: Buffer, place: LogPlace): { events: LogEvent[]; next: LogPlace } {
    const events: LogEvent[] = [];
    let { skipping } = place;
    let begin = 0;
    for (let end = content.indexOf(newline); end >= 0; end = content.indexOf(newline, begin)) {
      const at = { inode: place.inode, offset: place.offset + begin };
      if (!skipping && end - begin > this.#lineMaxBytes) events.push(tooLong(at));
      else if (!skipping && end > begin) events.push({ kind: 'line', text: content.toString('utf8', begin, end), at });
      skipping = false;
      begin = end + 1;
    }
    if (content.length - begin > this.#lineMaxBytes || (skipping && content.length > begin)) {
      if (!skipping) events.push(tooLong({ inode: place.inode, offset: place.offset + begin }));
      skipping = true;
      begin = content.length;
    }
    return { events, next: { ...place, skipping, offset: place.offset + begin } };
  }
}

function tooLong(at: LinePlace): LogEvent {
  return { kind: 'unreadable', reason: 'it is longer than coverage.lineMaxBytes', at };
}

function tailOf(before: Buffer, content: Buffer, read: number): string {
  const whole = Buffer.concat([before, content.subarray(Math.max(0, read - tailBytes), read)]);
  return hashOf(whole.subarray(Math.max(0, whole.length - tailBytes)));
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}

function beginOf({ dev, ino }: Stats): LogPlace {
  return { device: dev, inode: ino, offset: 0, tail: hashOf(Buffer.alloc(0)), skipping: false };
}

function isSame({ dev, ino }: Stats, place: LogPlace): boolean {
  return dev === place.device && ino === place.inode;
}

async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw thrown;
  }
}
