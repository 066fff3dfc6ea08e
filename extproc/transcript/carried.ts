/** Files that an exchange carries, as content blocks that can be read and as entries of the document. */
import type { JsonObject, JsonValue } from '../claude/json.ts';
import type { DocumentFile } from './document.ts';

export type CarriedFile = { name: string; mediaType: string; bytes: Uint8Array };

export type Carried = { blocks: JsonValue[]; files: DocumentFile[] };

/** Keyed hash of a file's bytes (inv. 6). */
export type HashOfBytes = (bytes: Uint8Array) => string;

/** Text beyond this is not read but named by size and hash; masking has to go through all that is read. */
const fileTextMaxBytes = 4 * 1024 * 1024;
const allTextMaxBytes = 16 * 1024 * 1024;

/** A file with text (SKILL.md, a script) is prompt content; any other is named by type, size and hash. */
export function carriedFiles(
  carried: readonly CarriedFile[],
  role: DocumentFile['role'],
  hashOf: HashOfBytes,
): Carried {
  const blocks: JsonValue[] = [];
  const files: DocumentFile[] = [];
  let textBytes = 0;
  for (const file of carried) {
    const hash = hashOf(file.bytes);
    const text = textBytes + file.bytes.length > allTextMaxBytes ? null : textOf(file.bytes);
    if (text !== null) textBytes += file.bytes.length;
    blocks.push(blockOf(file, hash, text));
    files.push({ id: '', role, name: file.name, media_type: file.mediaType, bytes: file.bytes.length, hash });
  }
  return { blocks, files };
}

function blockOf({ name, mediaType, bytes }: CarriedFile, hash: string, text: string | null): JsonObject {
  const source =
    text === null
      ? { type: 'base64', media_type: mediaType, bytes: bytes.length, hash }
      : { type: 'text', media_type: mediaType, data: text };
  return { type: 'document', title: name, source };
}

function textOf(bytes: Uint8Array): string | null {
  if (bytes.length > fileTextMaxBytes || bytes.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** A file that is named by its id alone. */
export function fileNamed(id: string, role: DocumentFile['role']): DocumentFile {
  return { id, role, name: '', media_type: '', bytes: null, hash: '' };
}
