/** The append-only list of what was in force: when, by whom, and what it followed. */
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SkilltapeError } from '../errors.ts';
import { versionKinds } from './kept.ts';

const fileChange = z.strictObject({
  path: z.string(),
  change: z.enum(['added', 'changed', 'removed']),
  /** Owner of the file; null when it is not there any more. */
  uid: z.number().nullable(),
  owner: z.string(),
  /** ISO 8601 in UTC; empty when it is not there any more. */
  modified: z.string(),
});

/** `start`: the files at the start; `kept_at_start`: they had a fault, so the last version went on; `edit`: while it ran. */
const entry = z.strictObject({
  time: z.string(),
  kind: z.enum(versionKinds),
  cause: z.enum(['start', 'kept_at_start', 'edit']),
  hash: z.string(),
  /** What was in force before; null at the first start. */
  previous: z.string().nullable(),
  /** Who runs the processor. */
  process: z.strictObject({ osUser: z.string(), uid: z.number() }),
  /** Of these at most `fileChangesMax`; `changes` counts all. */
  files: z.array(fileChange),
  changes: z.number(),
});

export type FileChange = z.infer<typeof fileChange>;
export type VersionEntry = z.infer<typeof entry>;

export const fileChangesMax = 100;
/** Some ten thousand edits. At it nothing new comes in force. */
export const versionLogMaxBytes = 64 * 1024 * 1024;

export class VersionLog {
  readonly file: string;

  constructor(dataDirectory: string) {
    this.file = join(dataDirectory, 'versions.jsonl');
  }

  /**
   * On disk when it resolves.
   * @throws SkilltapeError `disk_failed` at the limit
   */
  async append(added: VersionEntry): Promise<void> {
    const line = Buffer.from(`${JSON.stringify(added)}\n`);
    const handle = await open(this.file, 'a', 0o600);
    try {
      const { size } = await handle.stat();
      if (size + line.length > versionLogMaxBytes) {
        throw new SkilltapeError('disk_failed', `${this.file} is larger than ${versionLogMaxBytes} bytes`, {
          remedy: 'Move it to another place; a new one is begun.',
        });
      }
      // A line that a power failure tore stays as it is, and does not take this one with it.
      const isTorn = size > 0 && (await lastByte(this.file, size)) !== newline;
      await handle.writeFile(isTorn ? Buffer.concat([Buffer.from('\n'), line]) : line);
      await handle.datasync();
    } finally {
      await handle.close();
    }
  }

  /** Oldest first; lines that cannot be read are left out and counted. */
  async list(): Promise<{ entries: VersionEntry[]; unreadable: number }> {
    const size = (await stat(this.file).catch(() => null))?.size ?? 0;
    if (size === 0) return { entries: [], unreadable: 0 };
    const lines = (await readFile(this.file, 'utf8')).split('\n').filter((line) => line !== '');
    const entries = lines.flatMap(read);
    return { entries, unreadable: lines.length - entries.length };
  }
}

const newline = 0x0a;

async function lastByte(file: string, size: number): Promise<number | undefined> {
  const handle = await open(file, 'r');
  try {
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0];
  } finally {
    await handle.close();
  }
}

function read(line: string): VersionEntry[] {
  try {
    return [entry.parse(JSON.parse(line))];
  } catch {
    return [];
  }
}
