/** What is in force of one kind, what was before, and the list of all changes. */
import { diskFault } from '../disk-fault.ts';
import { pathChanges, withOwners } from './file-changes.ts';
import type { KeptFiles, VersionKind } from './kept.ts';
import { KeptVersions } from './kept.ts';
import type { VersionEntry } from './version-log.ts';
import { VersionLog } from './version-log.ts';

/** Who runs the processor, as the operating system knows them. */
export type Account = VersionEntry['process'];
export type Cause = VersionEntry['cause'];

export class Versions {
  readonly kept: KeptVersions;
  readonly log: VersionLog;
  readonly #kind: VersionKind;
  readonly #account: Account;
  /** Hashes that were in force, the last one first; read once, since nobody else writes the list. */
  #newestFirst: string[] | undefined;

  constructor(dataDirectory: string, kind: VersionKind, { keptMax, account }: { keptMax: number; account: Account }) {
    this.kept = new KeptVersions(dataDirectory, kind, keptMax);
    this.log = new VersionLog(dataDirectory);
    this.#kind = kind;
    this.#account = account;
  }

  /** What was in force last and is kept; null when there was nothing. */
  async last(): Promise<{ hash: string; folder: string } | null> {
    const [hash = null] = await this.#inForce();
    return hash === null || !(await this.kept.has(hash)) ? null : { hash, folder: this.kept.folderOf(hash) };
  }

  /**
   * Keeps a version and says in the list that it comes in force; both are on disk when this resolves, and only then may
   * it be put in force. Nothing is said where it is in force already.
   * @param directory where the files stand now, to tell whose they are; null: nowhere
   * @throws SkilltapeError `disk_failed`
   */
  async putInForce(
    hash: string,
    files: KeptFiles,
    { cause, directory }: { cause: Cause; directory: string | null },
  ): Promise<void> {
    const order = await this.#inForce();
    const [previous = null] = order;
    try {
      await this.kept.keep(hash, files, previous);
      if (previous !== hash) await this.#tell(hash, files, order, { cause, directory });
    } catch (thrown) {
      throw diskFault(thrown, this.kept.folderOf(hash)) ?? thrown;
    }
  }

  async #tell(
    hash: string,
    files: KeptFiles,
    order: readonly string[],
    { cause, directory }: { cause: Cause; directory: string | null },
  ): Promise<void> {
    const [previous = null] = order;
    const before = previous === null ? new Map() : await this.kept.read(previous).catch(() => new Map());
    const changes = pathChanges(before, files);
    await this.log.append({
      ...{ time: new Date().toISOString(), kind: this.#kind, cause, hash, previous, process: this.#account },
      files: directory === null ? [] : await withOwners(changes, directory),
      changes: changes.length,
    });
    this.#newestFirst = [hash, ...order.filter((other) => other !== hash)];
    await this.kept.prune(this.#newestFirst);
  }

  async #inForce(): Promise<string[]> {
    if (this.#newestFirst === undefined) {
      const { entries } = await this.log.list();
      const hashes = entries.filter(({ kind }) => kind === this.#kind).map(({ hash }) => hash);
      this.#newestFirst = [...new Set(hashes.reverse())];
    }
    return this.#newestFirst;
  }
}
