/** Erasures that were begun: each stands in a file of its own until nothing that the person said before can come back. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { SkilltapeError } from '../errors.ts';
import type { KeyFiles } from '../keys/files.ts';
import { nodeKeyFiles } from '../keys/files.ts';
import { retentionDirectory } from './event-log.ts';
import type { PersonName } from './parts.ts';

const erasure = z.strictObject({
  version: z.literal(1),
  run: z.string(),
  issuer: z.string(),
  subject: z.string(),
  /** What began later is another record, under a key of its own. Milliseconds since the epoch. */
  beforeMs: z.int().nonnegative(),
  areKeysErased: z.boolean(),
  /** Every store had its part; the journals still have what they said. */
  isCarriedOut: z.boolean().default(false),
  by: z.string(),
  reason: z.string(),
});
export type Erasure = z.output<typeof erasure>;

const fileMaxBytes = 65_536;

export class Erasures {
  readonly #directory: string;
  readonly #files: KeyFiles;

  constructor(directory: string, files: KeyFiles) {
    this.#directory = join(directory, 'pending');
    this.#files = files;
  }

  async names(): Promise<string[]> {
    return (await this.#files.list(this.#directory)).filter((name) => name.endsWith('.json'));
  }

  /** Undefined when it is not there any more. @throws SkilltapeError `archive_corrupt` */
  async read(name: string): Promise<Erasure | undefined> {
    const path = join(this.#directory, name);
    const file = await this.#files.read(path, fileMaxBytes);
    if (file === undefined) return undefined;
    try {
      return erasure.parse(JSON.parse(file.bytes.toString('utf8')));
    } catch (cause) {
      throw new SkilltapeError('archive_corrupt', `${path} is damaged: whose erasure it is cannot be told`, {
        cause,
        remedy: 'Find the pseudonym in `retention/receipts.signed`, erase that person again, then remove this file.',
      });
    }
  }

  /** Oldest first. */
  async all(): Promise<Erasure[]> {
    const found: Erasure[] = [];
    for (const name of await this.names()) {
      const begun = await this.read(name);
      if (begun !== undefined) found.push(begun);
    }
    return found.sort((a, b) => a.beforeMs - b.beforeMs);
  }

  async write(begun: Erasure): Promise<void> {
    await this.#files.replace(this.#pathOf(begun.run), Buffer.from(JSON.stringify(begun)));
  }

  async remove(run: string): Promise<void> {
    await this.#files.destroy(this.#pathOf(run));
  }

  #pathOf(run: string): string {
    return join(this.#directory, `${createHash('sha256').update(run).digest('hex').slice(0, 16)}.json`);
  }
}

/** Whose words from before must not leave the journals any more, for whoever carries them on. */
export class ErasedPersons {
  readonly #erasures: Erasures;
  #known = new Map<string, Erasure>();

  constructor(dataDirectory: string, files: KeyFiles = nodeKeyFiles) {
    this.#erasures = new Erasures(retentionDirectory(dataDirectory), files);
  }

  /** As it is on disk now: another process erases. @throws SkilltapeError `archive_corrupt`; errors of the system */
  async refresh(): Promise<void> {
    const known = new Map<string, Erasure>();
    for (const name of await this.#erasures.names()) {
      const begun = this.#known.get(name) ?? (await this.#erasures.read(name));
      if (begun !== undefined) known.set(name, begun);
    }
    this.#known = known;
  }

  has(person: PersonName | null, startedMs: number): boolean {
    if (person === null) return false;
    for (const { issuer, subject, beforeMs } of this.#known.values())
      if (subject === person.subject && issuer === person.issuer && startedMs < beforeMs) return true;
    return false;
  }
}
