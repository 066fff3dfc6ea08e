/** Reads a ZIP archive (a skill as it is downloaded) into memory, within limits that a bomb runs into. */
import { Buffer } from 'node:buffer';
import type { Entry, ZipFile } from 'yauzl';
import { fromBufferPromise } from 'yauzl';

export type ArchiveEntry = { name: string; bytes: Uint8Array };

/** `fault` repeats nothing of the archive. */
export type ReadArchive = { ok: true; entries: ArchiveEntry[] } | { ok: false; fault: string };

export type ArchiveLimits = {
  entriesMax: number;
  /** Of all entries together, unpacked. */
  unpackedMaxBytes: number;
  /** Unpacked to packed bytes of one entry; deflate cannot reach more than 1032. */
  ratioMax: number;
};

export const archiveLimits: ArchiveLimits = {
  entriesMax: 1000,
  unpackedMaxBytes: 64 * 1024 * 1024,
  ratioMax: 200,
};

/** Small entries may be packed as tightly as they like: a file of blanks is no bomb. */
const ratioFreeBytes = 1024 * 1024;

/**
 * The files of an archive in the order of its directory; folders are left out. Names are relative and have no `..`.
 * Not for the hot path: it takes the time that unpacking takes.
 */
export async function readZip(bytes: Uint8Array, limits: ArchiveLimits = archiveLimits): Promise<ReadArchive> {
  try {
    const archive = await fromBufferPromise(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return await readEntries(archive, limits);
  } catch {
    // The messages of the reader quote names of the archive.
    return { ok: false, fault: 'it is no ZIP archive that can be read' };
  }
}

async function readEntries(archive: ZipFile, limits: ArchiveLimits): Promise<ReadArchive> {
  const entries: ArchiveEntry[] = [];
  let unpackedBytes = 0;
  let count = 0;
  for await (const entry of archive.eachEntry()) {
    count += 1;
    if (count > limits.entriesMax) return fault(`it has more than ${limits.entriesMax} entries`);
    if (entry.fileName.endsWith('/')) continue;
    if (entry.isEncrypted()) return fault('it is encrypted');
    unpackedBytes += entry.uncompressedSize;
    if (unpackedBytes > limits.unpackedMaxBytes)
      return fault(`it unpacks to more than ${limits.unpackedMaxBytes} bytes`);
    if (isBomb(entry, limits.ratioMax))
      return fault(`an entry of it unpacks to more than ${limits.ratioMax} times its size`);
    entries.push({ name: entry.fileName, bytes: await unpack(archive, entry) });
  }
  return { ok: true, entries };
}

function isBomb({ compressedSize, uncompressedSize }: Entry, ratioMax: number): boolean {
  return uncompressedSize > ratioFreeBytes && uncompressedSize > compressedSize * ratioMax;
}

/** The reader ends an entry with an error as soon as it is larger than its directory says. */
async function unpack(archive: ZipFile, entry: Entry): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of await archive.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function fault(text: string): { ok: false; fault: string } {
  return { ok: false, fault: text };
}
