/** Writes a ZIP archive without compression: enough for every reader, and the same bytes for the same entries. */
import { crc32 } from 'node:zlib';

export type ZipEntry = { readonly name: string; readonly bytes: Uint8Array };

const LOCAL_HEADER_BYTES = 30;
const CENTRAL_HEADER_BYTES = 46;
const END_BYTES = 22;
const VERSION = 20;
const UTF8_NAMES = 0x0800;
/** 1 January 1980, the first day that the format knows. */
const DOS_DATE = 0x0021;

/** APPNOTE.TXT of PKWARE, sections 4.3.7, 4.3.12 and 4.3.16; below 4 GiB and 65,536 entries. */
export function writeZip(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes } of entries) {
    const nameBytes = Buffer.from(name, 'utf8');
    const local = Buffer.concat([localHeader(nameBytes, bytes), nameBytes, bytes]);
    centrals.push(Buffer.concat([centralHeader(nameBytes, bytes, offset), nameBytes]));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(centrals);
  return Buffer.concat([...locals, central, endRecord(entries.length, central.length, offset)]);
}

/** The fields from "version needed" to "extra field length", which both headers have. */
function writeCommon(header: Buffer, at: number, name: Buffer, bytes: Uint8Array): void {
  header.writeUInt16LE(VERSION, at);
  header.writeUInt16LE(UTF8_NAMES, at + 2);
  header.writeUInt16LE(DOS_DATE, at + 8);
  header.writeUInt32LE(crc32(bytes), at + 10);
  header.writeUInt32LE(bytes.length, at + 14);
  header.writeUInt32LE(bytes.length, at + 18);
  header.writeUInt16LE(name.length, at + 22);
}

function localHeader(name: Buffer, bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(LOCAL_HEADER_BYTES);
  header.writeUInt32LE(0x04034b50, 0);
  writeCommon(header, 4, name, bytes);
  return header;
}

function centralHeader(name: Buffer, bytes: Uint8Array, offset: number): Buffer {
  const header = Buffer.alloc(CENTRAL_HEADER_BYTES);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(VERSION, 4);
  writeCommon(header, 6, name, bytes);
  header.writeUInt32LE(offset, 42);
  return header;
}

function endRecord(count: number, centralBytes: number, centralOffset: number): Buffer {
  const record = Buffer.alloc(END_BYTES);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(count, 8);
  record.writeUInt16LE(count, 10);
  record.writeUInt32LE(centralBytes, 12);
  record.writeUInt32LE(centralOffset, 16);
  return record;
}
