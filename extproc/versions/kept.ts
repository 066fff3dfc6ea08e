/** Keeps what was in force, by hash, as files that auditors can read. */
import { mkdirSync } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SkilltapeError } from '../errors.ts';

/** Contents by path. */
export type KeptFiles = ReadonlyMap<string, Uint8Array>;

export const versionKinds = ['policies', 'configurations'] as const;
export type VersionKind = (typeof versionKinds)[number];

const hashPattern = /^[0-9a-f]{64}$/;
/** Stands beside the versions that judged an exchange: records name them, so others are removed before them. */
const usedSuffix = '.used';
const readOnly = 0o440;

/** One folder `<hash>` for each version in `<dataDirectory>/<kind>`. A hash is 64 hexadecimal digits. */
export class KeptVersions {
  readonly directory: string;
  readonly #keptMax: number;

  /** @param keptMax how many are kept at most; the one in force always is */
  constructor(dataDirectory: string, kind: VersionKind, keptMax: number) {
    this.directory = join(dataDirectory, kind);
    this.#keptMax = keptMax;
  }

  /**
   * Writes a version if it is not there; it is on disk when this resolves. Files that are the same in `previous` are
   * stored once.
   */
  async keep(hash: string, files: KeptFiles, previous: string | null): Promise<void> {
    const folder = this.folderOf(hash);
    // Unlike the other one, this names the whole path of what cannot be made.
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    if (await exists(folder)) return;
    const draft = join(this.directory, `.${hash}.${process.pid}`);
    await rm(draft, { recursive: true, force: true });
    const before = previous === null ? null : this.folderOf(previous);
    const folders = new Set([draft, ...[...files.keys()].map((path) => dirname(join(draft, path)))]);
    for (const each of folders) await mkdir(each, { recursive: true, mode: 0o700 });
    for (const [path, content] of files) {
      const file = join(draft, path);
      if (before === null || !(await isLinked(join(before, path), file, content))) await writeSynced(file, content);
    }
    for (const each of folders) await syncFolder(each);
    await rename(draft, folder);
    await syncFolder(this.directory);
  }

  /** @throws SkilltapeError `not_found` */
  async read(hash: string): Promise<Map<string, Buffer>> {
    const folder = this.folderOf(hash);
    const files = new Map<string, Buffer>();
    const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => {
      throw new SkilltapeError('not_found', `no version ${hash} is kept in ${this.directory}`);
    });
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      files.set(file.slice(folder.length + 1), await readFile(file));
    }
    return new Map([...files].sort(([left], [right]) => (left < right ? -1 : 1)));
  }

  async has(hash: string): Promise<boolean> {
    return hashPattern.test(hash) && (await exists(this.folderOf(hash)));
  }

  /** The hashes that are kept. */
  async list(): Promise<string[]> {
    const names = await readdir(this.directory).catch(() => []);
    return names.filter((name) => hashPattern.test(name));
  }

  /** An exchange was judged by it. */
  async markUsed(hash: string): Promise<void> {
    await writeFile(`${this.folderOf(hash)}${usedSuffix}`, '', { mode: 0o600 });
  }

  /**
   * Removes versions beyond the limit: first those that judged no exchange, then the others, each from the one that was
   * in force longest ago.
   * @param newestFirst hashes in the order in which they were last in force; the first one is never removed
   */
  async prune(newestFirst: readonly string[]): Promise<string[]> {
    const kept = await this.list();
    const names = new Set(await readdir(this.directory).catch(() => []));
    const [inForce] = newestFirst;
    // What the log does not name is older than all that it names.
    const age = (hash: string): number => (newestFirst.includes(hash) ? newestFirst.indexOf(hash) : newestFirst.length);
    const candidates = kept
      .filter((hash) => hash !== inForce)
      .map((hash) => ({ hash, isUsed: names.has(`${hash}${usedSuffix}`), age: age(hash) }))
      .sort((left, right) => Number(left.isUsed) - Number(right.isUsed) || right.age - left.age);
    const removed = candidates.slice(0, Math.max(0, kept.length - this.#keptMax)).map(({ hash }) => hash);
    for (const hash of removed) {
      await rm(this.folderOf(hash), { recursive: true, force: true });
      await rm(`${this.folderOf(hash)}${usedSuffix}`, { force: true });
    }
    return removed;
  }

  folderOf(hash: string): string {
    // A hash comes from a command line too, and names a folder.
    if (!hashPattern.test(hash)) throw new SkilltapeError('usage', `"${hash}" is no hash of 64 hexadecimal digits`);
    return join(this.directory, hash);
  }
}

async function exists(path: string): Promise<boolean> {
  return (await readdir(path).catch(() => null)) !== null;
}

async function isLinked(from: string, to: string, content: Uint8Array): Promise<boolean> {
  try {
    if (!(await readFile(from)).equals(content)) return false;
    await link(from, to);
    return true;
  } catch {
    return false;
  }
}

async function writeSynced(file: string, content: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx', readOnly);
  try {
    await handle.writeFile(content);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
