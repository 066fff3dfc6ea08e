/** What was judged of recorded requests, out of the archive and the journals; no body is read. */
import type { ArchiveReader } from '../archive/reader.ts';
import { SkilltapeError } from '../errors.ts';
import { type Decided, decodeRecord, decodeRecordHead, type Started } from '../exchange/record.ts';
import type { JournalReader } from '../journal/reader.ts';
import type { RequestInput } from '../policy/input.ts';
import { beganMsOf } from '../remask/journal-exchanges.ts';
import type { TimeRange } from '../remask/recorded-exchanges.ts';
import { judgedInputOf } from '../transcript/record-input.ts';

/** `decided` is the verdict of the policy, not what people said of a held one afterwards. */
export type JudgedRequest = { exchangeId: string; started: Started; decided: Decided; input: RequestInput };

/** `undecided`: refused before a policy was asked. `unopened`: the key is gone that it was sealed with. */
export type FoundRequest = { kind: 'judged'; judged: JudgedRequest } | { kind: 'undecided' } | { kind: 'unopened' };

export type JudgedRequests = {
  /** Of exchanges that ended, each once; `range` is of when they began. */
  read(range: TimeRange): AsyncIterable<FoundRequest>;
};

type Head = { payload: Uint8Array; contentBytes: number };

/** How often a journal is begun again because a running gateway freed the segment that was to be read. */
const beginningsMax = 100;

export function judgedRequestsOf(
  archive: Pick<ArchiveReader, 'exchanges'>,
  journals: readonly Pick<JournalReader, 'read'>[],
): JudgedRequests {
  return {
    async *read(range) {
      const given = new Set<string>();
      for (const journal of journals) {
        for await (const { exchangeId, found } of inJournal(journal, range, given)) {
          given.add(exchangeId);
          yield found;
        }
      }
      for await (const outcome of archive.exchanges(range, (id) => !given.has(id))) {
        if (outcome.kind === 'unopened') {
          yield { kind: 'unopened' };
          continue;
        }
        const gathering = new Gathering(outcome.exchange.exchangeId);
        for await (const head of outcome.exchange.heads()) gathering.take(head);
        yield gathering.found();
      }
    },
  };
}

async function* inJournal(
  journal: Pick<JournalReader, 'read'>,
  { fromMs, toMs }: TimeRange,
  given: ReadonlySet<string>,
): AsyncGenerator<{ exchangeId: string; found: FoundRequest }> {
  for (let beginnings = 1; ; beginnings += 1) {
    const open = new Map<string, Gathering>();
    try {
      for await (const { payload } of journal.read(null)) {
        const { exchangeId, kind, contentBytes } = decodeRecordHead(payload);
        const beganMs = beganMsOf(exchangeId);
        if (beganMs < fromMs || beganMs >= toMs || given.has(exchangeId)) continue;
        if (kind === 'started' && !open.has(exchangeId)) open.set(exchangeId, new Gathering(exchangeId));
        const gathering = open.get(exchangeId);
        if (gathering === undefined) continue;
        gathering.take({ payload, contentBytes });
        if (kind !== 'finished') continue;
        open.delete(exchangeId);
        yield { exchangeId, found: gathering.found() };
      }
      return;
    } catch (thrown) {
      // The oldest segment was freed before it could be opened; the next one is the oldest now.
      if (SkilltapeError.from(thrown).code !== 'not_found' || beginnings >= beginningsMax) throw thrown;
    }
  }
}

/** One exchange, as its records come. */
class Gathering {
  readonly #exchangeId: string;
  #started: { started: Started; startedMs: number } | undefined;
  #decided: Decided | undefined;
  #requestBytes = 0;

  constructor(exchangeId: string) {
    this.#exchangeId = exchangeId;
  }

  take({ payload, contentBytes }: Head): void {
    const { kind } = decodeRecordHead(payload);
    if (kind === 'request_body') this.#requestBytes += contentBytes;
    if (kind !== 'started' && kind !== 'decided') return;
    const record = decodeRecord(payload);
    if (record.kind === 'started') this.#started = { started: record.started, startedMs: record.timeMs };
    if (record.kind === 'decided') this.#decided ??= record.decided;
  }

  found(): FoundRequest {
    const [begun, decided] = [this.#started, this.#decided];
    if (begun === undefined || decided === undefined) return { kind: 'undecided' };
    const input = judgedInputOf({ ...begun, decided, requestBytes: this.#requestBytes });
    return { kind: 'judged', judged: { exchangeId: this.#exchangeId, started: begun.started, decided, input } };
  }
}
