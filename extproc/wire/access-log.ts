import type { EndReport } from '../exchange/end-report.ts';
import { ProtobufReader } from './protobuf-reader.ts';

export type NamedReport = { exchangeId: string; report: EndReport };

/** `proto/access_log.proto` ResponseFlags by field number: the name in Envoy's access log, and who ended the exchange. */
const flagsByField: Readonly<Record<number, readonly [name: string, by: EndReport['by']]>> = {
  3: ['UT', 'upstream'],
  4: ['LR', 'gateway'],
  5: ['UR', 'upstream'],
  6: ['UF', 'upstream'],
  7: ['UC', 'upstream'],
  15: ['DC', 'client'],
  17: ['SI', 'gateway'],
  19: ['DPE', 'client'],
  20: ['UMSDR', 'gateway'],
  23: ['DT', 'gateway'],
  24: ['UPE', 'upstream'],
  26: ['OM', 'gateway'],
  28: ['DR', 'client'],
};

/** Exchange ids are UUIDs; Envoy's details name a reason, and sometimes an address. */
const exchangeIdMaxChars = 36;
const detailMaxChars = 200;

/**
 * What one message of Envoy says about exchanges that were broken off; an entry that names none is left out. Of the
 * metadata only what we gave Envoy ourselves is read. Throws `protocol_violation`.
 */
export function endReportsIn(message: Buffer): NamedReport[] {
  const reports: NamedReport[] = [];
  const reader = new ProtobufReader(message);
  // StreamAccessLogsMessage.http_logs, HTTPAccessLogEntries.log_entry
  eachIn(reader, [2, 1], () => {
    const entry = entryIn(reader);
    if (entry.exchangeId === '') return;
    // What has none of these flags ran into a limit of Envoy's own, such as `max_stream_duration`.
    const [name, by] = entry.flag ?? ['', 'gateway' as const];
    const detail = `${name} ${entry.codeDetails}`
      .replace(/[^\x20-\x7e]/g, '?')
      .slice(0, detailMaxChars)
      .trim();
    reports.push({ exchangeId: entry.exchangeId, report: { by, detail } });
  });
  return reports;
}

type Entry = {
  flag: readonly [name: string, by: EndReport['by']] | undefined;
  exchangeId: string;
  codeDetails: string;
};

function entryIn(reader: ProtobufReader): Entry {
  const entry: Entry = { flag: undefined, exchangeId: '', codeDetails: '' };
  while (reader.next()) {
    if (reader.field === 1) inside(reader, () => readCommon(reader, entry));
    else if (reader.field === 4) inside(reader, () => readResponse(reader, entry));
    else reader.skip();
  }
  return entry;
}

/** AccessLogCommon: `response_flags` and `metadata`. */
function readCommon(reader: ProtobufReader, entry: Entry): void {
  while (reader.next()) {
    if (reader.field === 16) inside(reader, () => readFlags(reader, entry));
    else if (reader.field === 17) inside(reader, () => readMetadata(reader, entry));
    else reader.skip();
  }
}

function readFlags(reader: ProtobufReader, entry: Entry): void {
  while (reader.next()) {
    const flag = flagsByField[reader.field];
    if (flag === undefined) reader.skip();
    else if (reader.bool()) entry.flag ??= flag;
  }
}

/** Metadata.filter_metadata is a map of Structs by the name of the filter; ours has the id that we gave the exchange. */
function readMetadata(reader: ProtobufReader, entry: Entry): void {
  eachEntry(reader, 'skilltape', () => {
    // Struct.fields, a map of Values
    eachEntry(reader, 'exchange', () => {
      while (reader.next()) {
        if (reader.field === 3) entry.exchangeId = reader.utf8().slice(0, exchangeIdMaxChars);
        else reader.skip();
      }
    });
  });
}

function readResponse(reader: ProtobufReader, entry: Entry): void {
  while (reader.next()) {
    if (reader.field === 6) entry.codeDetails = reader.utf8();
    else reader.skip();
  }
}

/** Reads the value of one key of the map in field 1 of the message at hand. A key stands before its value (map entries). */
function eachEntry(reader: ProtobufReader, wanted: string, readValue: () => void): void {
  eachIn(reader, [1], () => {
    let key = '';
    while (reader.next()) {
      if (reader.field === 1) key = reader.utf8();
      else if (reader.field === 2 && key === wanted) inside(reader, readValue);
      else reader.skip();
    }
  });
}

/** Reads each message at a path of field numbers below the message at hand. */
function eachIn(reader: ProtobufReader, [field, ...deeper]: readonly number[], read: () => void): void {
  while (reader.next()) {
    if (reader.field !== field) reader.skip();
    else inside(reader, deeper.length === 0 ? read : () => eachIn(reader, deeper, read));
  }
}

function inside(reader: ProtobufReader, read: () => void): void {
  const outerEnd = reader.enter();
  read();
  reader.leave(outerEnd);
}
