/** Several records as the payload of one frame: to seal one small record costs as much as to seal many. */
import { FRAME_HEAD_BYTES, type FrameKind } from './format.ts';

/** A record that is to be written: its place is known once it has a frame. */
export type UnwrittenRecord = {
  readonly parts: readonly Uint8Array[];
  readonly payloadBytes: number;
  segment: number;
  offset: number;
};

export function partsBytes(parts: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  return bytes;
}

/** A group begins with the lengths of its records, a u32 for each; then they follow, in the same order. */
export const lengthBytes = 4;

/** The payload of a group, in the order of its parts. */
export function groupParts(records: readonly UnwrittenRecord[]): Uint8Array[] {
  const lengths = Buffer.allocUnsafe(lengthBytes * records.length);
  const parts: Uint8Array[] = [lengths];
  let at = 0;
  for (const record of records) {
    at = lengths.writeUInt32LE(record.payloadBytes, at);
    for (const part of record.parts) parts.push(part);
  }
  return parts;
}

/** From the beginning of a frame to the place of its record: the first has that of the frame, others that of their length. */
export function placeInFrame(index: number): number {
  return index === 0 ? 0 : FRAME_HEAD_BYTES + lengthBytes * index;
}

export type PlacedRecord = { offset: number; payload: Uint8Array };

/** The records of an opened frame at `offset` with their places; undefined when they are not what the frame says. */
export function recordsOf(
  { kind, records }: { kind: FrameKind; records: number },
  payload: Uint8Array,
  offset: number,
): PlacedRecord[] | undefined {
  if (kind !== 'group') return kind === 'record' ? [{ offset, payload }] : [];
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  let begin = lengthBytes * records;
  if (records === 0 || begin > bytes.length) return undefined;
  const found: PlacedRecord[] = [];
  for (let index = 0; index < records; index += 1) {
    const end = begin + bytes.readUInt32LE(lengthBytes * index);
    // Copied, so that one which is kept does not keep the others.
    const copy = Buffer.from(new Uint8Array(bytes.subarray(begin, end)).buffer);
    found.push({ offset: offset + placeInFrame(index), payload: copy });
    begin = end;
  }
  return begin === bytes.length ? found : undefined;
}
