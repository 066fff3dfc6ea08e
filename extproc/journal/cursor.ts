/** A reader's place in the journal, kept across restarts. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import type { FileSystem } from './fs.ts';
import { nodeFileSystem } from './node-fs.ts';
import { isPosition, type Position } from './position.ts';

/** For `absent` and `damaged`, `position` is null: read from the beginning, so each record is seen at least once. */
export type Cursor =
  | { status: 'found'; position: Position }
  | { status: 'absent'; position: null }
  | { status: 'damaged'; position: null; reason: string };

const FILE_MAX_BYTES = 4096;

export async function loadCursor(
  directory: string,
  name: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<Cursor> {
  const path = cursorPath(directory, name);
  try {
    const file = await fileSystem.readSmall(path, FILE_MAX_BYTES);
    if (file === undefined) return { status: 'absent', position: null };
    const value: unknown = JSON.parse(Buffer.from(file.bytes).toString('utf8'));
    if (typeof value !== 'object' || value === null) return damaged(path, 'not an object');
    const { version, position, checksum } = value as Record<string, unknown>;
    if (version !== 1) return damaged(path, 'not of version 1');
    if (!isPosition(position)) return damaged(path, 'it names no position');
    if (checksum !== checksumOf(name, position)) return damaged(path, 'its checksum is wrong');
    return {
      status: 'found',
      position: { segment: position.segment, offset: position.offset },
    };
  } catch (thrown) {
    return damaged(path, thrown instanceof Error ? thrown.message : String(thrown));
  }
}

/** Durable on return. One caller per name. */
export async function saveCursor(
  directory: string,
  name: string,
  position: Position,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<void> {
  const { segment, offset } = position;
  const document = {
    version: 1,
    position: { segment, offset },
    checksum: checksumOf(name, position),
  };
  await fileSystem.writeSmall(cursorPath(directory, name), Buffer.from(`${JSON.stringify(document)}\n`));
}

/** Against damage, not against forgery: a forged cursor can only repeat or withhold shipping, as deleting a file can. */
function checksumOf(name: string, { segment, offset }: Position): string {
  return createHash('sha256').update(`${name} ${segment} ${offset}`).digest('hex').slice(0, 16);
}

function cursorPath(directory: string, name: string): string {
  if (!/^[a-z0-9-]{1,64}$/.test(name)) throw new SkilltapeError('usage', 'a cursor name is made of a-z, 0-9 and -');
  return join(directory, `cursor-${name}.json`);
}

function damaged(path: string, reason: string): Cursor {
  return {
    status: 'damaged',
    position: null,
    reason: `the cursor ${path} is damaged (${reason})`,
  };
}
