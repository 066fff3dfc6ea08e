import type { ArchiveReader, StoredExchange } from '../archive/reader.ts';
import { decodeRecord, decodeRecordHead, type ExchangeRecord } from '../exchange/record.ts';
import type { Masked } from '../masking/masked.ts';
import { storedMetadata } from '../ship/metadata-record.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import { assembleTranscript, readBodyMaxBytes, type Transcript } from '../transcript/transcript.ts';
import type { RecordedExchange, RecordedExchanges, TimeRange } from './recorded-exchanges.ts';

/** Recorded exchanges of the archive; those of persons whose keys are gone are left out. */
export class ArchivedExchanges implements RecordedExchanges {
  readonly #reader: ArchiveReader;

  constructor(reader: ArchiveReader) {
    this.#reader = reader;
  }

  async *read(range: TimeRange, isWanted: (exchangeId: string) => boolean): AsyncGenerator<RecordedExchange> {
    for await (const outcome of this.#reader.exchanges(range, isWanted)) {
      if (outcome.kind !== 'found') continue;
      const { exchangeId } = outcome.exchange;
      yield { exchangeId, transcript: await transcriptOf(outcome.exchange) };
    }
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}

/** Each exchange from the first place that has it. */
export class ExchangesOf implements RecordedExchanges {
  readonly #places: readonly RecordedExchanges[];

  constructor(places: readonly RecordedExchanges[]) {
    this.#places = places;
  }

  async *read(range: TimeRange, isWanted: (exchangeId: string) => boolean): AsyncGenerator<RecordedExchange> {
    const given = new Set<string>();
    for (const place of this.#places) {
      for await (const recorded of place.read(range, (id) => !given.has(id) && isWanted(id))) {
        given.add(recorded.exchangeId);
        yield recorded;
      }
    }
  }

  async close(): Promise<void> {
    for (const place of this.#places) await place.close();
  }
}

/** What is left of it, as it was masked first; null when it is not as this version writes it. */
export async function documentsLeftOf(
  exchange: Pick<StoredExchange, 'metadata'>,
): Promise<readonly Masked<ExchangeDocument>[] | null> {
  return storedMetadata(await exchange.metadata())?.documents ?? null;
}

/** As shipping loads it from a journal: of bodies that are too large only a beginning (inv. 10). */
export async function transcriptOf(exchange: Pick<StoredExchange, 'records'>): Promise<Transcript | null> {
  const records: ExchangeRecord[] = [];
  const unread = { request: 0, answer: 0 };
  let room = readBodyMaxBytes;
  for await (const payload of exchange.records()) {
    const { kind, contentBytes } = decodeRecordHead(payload);
    if (kind === 'answer_changed') continue;
    const body = kind === 'request_body' ? 'request' : kind === 'answer_body' ? 'answer' : null;
    if (body !== null) room -= contentBytes;
    if (body === null || room >= 0) records.push(decodeRecord(payload));
    else unread[body] += contentBytes;
  }
  return assembleTranscript(records, unread);
}
