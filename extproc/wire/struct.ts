import { SkilltapeError } from '../errors.ts';
import type { ProtobufReader } from './protobuf-reader.ts';
import type { BackwardWriter } from './protobuf-writer.ts';

export type PlainValue = null | boolean | number | string | PlainValue[] | PlainObject;
export type PlainObject = { [key: string]: PlainValue };

/** Structs and lists in each other. Envoy's own protobuf reads no more than about 33 of them. */
const nestingMax = 64;

/**
 * The google.protobuf.Struct at hand as plain data. Claims are the caller's: objects have no prototype, so `__proto__` is
 * a key like others.
 */
export function readStruct(reader: ProtobufReader, nesting = 0): PlainObject {
  const object: PlainObject = Object.create(null);
  const outerEnd = enterNested(reader, nesting);
  while (reader.next()) {
    if (reader.field === 1) readField(reader, object, nesting);
    else reader.skip();
  }
  reader.leave(outerEnd);
  return object;
}

/** One entry of a map of Structs, such as `attributes`. */
export function readStructEntry(reader: ProtobufReader, into: Record<string, PlainObject>): void {
  let key = '';
  let struct: PlainObject | undefined;
  const outerEnd = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) key = reader.utf8();
    else if (reader.field === 2) struct = readStruct(reader);
    else reader.skip();
  }
  reader.leave(outerEnd);
  into[key] = struct ?? Object.create(null);
}

function readField(reader: ProtobufReader, object: PlainObject, nesting: number): void {
  let key = '';
  let value: PlainValue = null;
  const outerEnd = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) key = reader.utf8();
    else if (reader.field === 2) value = readValue(reader, nesting);
    else reader.skip();
  }
  reader.leave(outerEnd);
  object[key] = value;
}

function readValue(reader: ProtobufReader, nesting: number): PlainValue {
  let value: PlainValue = null;
  const outerEnd = reader.enter();
  while (reader.next()) {
    switch (reader.field) {
      case 2:
        value = reader.double();
        break;
      case 3:
        value = reader.utf8();
        break;
      case 4:
        value = reader.bool();
        break;
      case 5:
        value = readStruct(reader, nesting + 1);
        break;
      case 6:
        value = readList(reader, nesting + 1);
        break;
      default:
        // Field 1 is null; a kind of value that came later is nothing, too.
        value = null;
        reader.skip();
    }
  }
  reader.leave(outerEnd);
  return value;
}

function readList(reader: ProtobufReader, nesting: number): PlainValue[] {
  const list: PlainValue[] = [];
  const outerEnd = enterNested(reader, nesting);
  while (reader.next()) {
    if (reader.field === 1) list.push(readValue(reader, nesting));
    else reader.skip();
  }
  reader.leave(outerEnd);
  return list;
}

function enterNested(reader: ProtobufReader, nesting: number): number {
  if (nesting > nestingMax) throw new SkilltapeError('protocol_violation', 'Envoy sent values nested too deep');
  return reader.enter();
}

/** Fields of strings as the Struct in `field`, for the access log. */
export function writeStruct(writer: BackwardWriter, field: number, fields: Record<string, string>): void {
  const end = writer.mark;
  for (const key of Object.keys(fields).reverse()) {
    const entryEnd = writer.mark;
    writer.utf8(3, fields[key] ?? '');
    writer.message(2, entryEnd);
    writer.utf8(1, key);
    writer.message(1, entryEnd);
  }
  writer.message(field, end);
}
