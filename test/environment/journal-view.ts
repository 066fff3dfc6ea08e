import { join } from 'node:path';
import type { ExchangeRecord } from '../../extproc/exchange/record.ts';
import { decodeRecord } from '../../extproc/exchange/record.ts';
import { loadOrCreateJournalKey } from '../../extproc/journal/key.ts';
import { nodeFileSystem } from '../../extproc/journal/node-fs.ts';
import { journalDirectory, journalsIn } from '../../extproc/journal/places.ts';
import type { Position } from '../../extproc/journal/position.ts';
import { openJournalReader } from '../../extproc/journal/reader.ts';

export type JournalEntry = {
  id: string;
  /** Where its first record stands. */
  start: Position;
  records: ExchangeRecord[];
  requestBody: Buffer;
  /** The pieces of the answer's body, as they were recorded. */
  answerPieces: Buffer[];
  answerBody: Buffer;
  /** The request was allowed, and that is written down. */
  allowed: boolean;
};

/** Everything that the journals of a gateway hold now, written or synced, by exchange; those of one worker in order. */
export async function readJournal(dataDirectory: string): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for (const worker of await journalsIn(dataDirectory)) entries.push(...(await readJournalOf(dataDirectory, worker)));
  return entries;
}

/** The same of one worker's journal. */
export async function readJournalOf(dataDirectory: string, worker: number): Promise<JournalEntry[]> {
  const key = await loadOrCreateJournalKey(join(dataDirectory, 'keys', 'journal.key'));
  const directory = journalDirectory(dataDirectory, worker);
  const reader = openJournalReader({ directory, fileSystem: nodeFileSystem, key });
  const byId = new Map<string, { start: Position; records: ExchangeRecord[] }>();
  try {
    for await (const { position, payload } of reader.read(null)) {
      const record = decodeRecord(payload);
      const exchange = byId.get(record.exchangeId) ?? { start: position, records: [] };
      byId.set(record.exchangeId, exchange);
      exchange.records.push(record);
    }
  } finally {
    await reader.close();
  }
  return [...byId].map(([id, { start, records }]) => entryOf(id, start, records));
}

/** The exchange whose request body holds `marker`; undefined when there is none yet. */
export async function findInJournal(dataDirectory: string, marker: string): Promise<JournalEntry | undefined> {
  return (await readJournal(dataDirectory)).find(({ requestBody }) => requestBody.includes(marker));
}

function entryOf(id: string, start: Position, records: ExchangeRecord[]): JournalEntry {
  const bodies = (kind: 'request_body' | 'answer_body') =>
    records.flatMap((record) => (record.kind === kind ? [Buffer.from(record.bytes)] : []));
  const answerPieces = bodies('answer_body');
  const allowed = records.some(
    (record) => record.kind === 'decided' && record.decided.stage === 'request' && record.decided.verdict === 'allow',
  );
  return {
    ...{ id, start, records, answerPieces, allowed },
    requestBody: Buffer.concat(bodies('request_body')),
    answerBody: Buffer.concat(answerPieces),
  };
}
