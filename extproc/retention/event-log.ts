/** Holds and receipts on disk: signed lines, each with its number and the hash of the one before. */
import { join } from 'node:path';
import type { z } from 'zod';
import { signedEntriesOf } from '../archive/checkpoint.ts';
import { SignedLog } from '../archive/signed-log.ts';
import type { SigningKey } from '../archive/signing.ts';
import { SkilltapeError } from '../errors.ts';
import type { FileSystem } from '../journal/fs.ts';

export type Numbered = { version: 1; number: number; previous: string | null; timeMs: number };

export type EventLogParts = { directory: string; fileSystem: FileSystem; key: SigningKey };

/** `<dataDirectory>/retention`: holds, receipts and erasures that are not finished. */
export function retentionDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'retention');
}

/** Whoever opens one has the lock of its directory. */
export class EventLog<T extends Numbered> {
  readonly #log: SignedLog<T>;
  readonly events: T[];

  private constructor(log: SignedLog<T>, events: T[]) {
    this.#log = log;
    this.events = events;
  }

  /** @throws SkilltapeError `archive_corrupt` when a line was changed or taken out: then nobody can say what is held */
  static async open<T extends Numbered>(
    { directory, fileSystem, key }: EventLogParts,
    kind: 'hold' | 'receipt',
    schema: z.ZodType<T>,
  ): Promise<EventLog<T>> {
    await fileSystem.makeDirectory(directory);
    const path = join(directory, `${kind}s.signed`);
    const log = new SignedLog<T>(path, kind, key, fileSystem);
    let badLine = 0;
    const entries = await log.open((text, publicKey) => {
      const read = signedEntriesOf(kind, text, publicKey, schema);
      badLine = read.bad[0]?.line ?? 0;
      return read;
    });
    const broken = entries.findIndex(({ value }, at) => {
      return value.number !== at + 1 || value.previous !== (entries[at - 1]?.hash ?? null);
    });
    if (badLine > 0 || broken >= 0) {
      throw new SkilltapeError('archive_corrupt', `line ${badLine || broken + 1} of ${path} is not as it was written`, {
        remedy: 'Find out who changed it, and put back a copy; until then nothing is deleted.',
      });
    }
    return new EventLog(
      log,
      entries.map(({ value }) => value),
    );
  }

  /** Durable on return. */
  async append(event: Omit<T, 'version' | 'number' | 'previous'>): Promise<T> {
    const { value } = await this.#log.append({ version: 1, ...event } as unknown as Omit<T, 'number' | 'previous'>);
    this.events.push(value);
    return value;
  }
}
