/** What the journal, the upstream, the callers and the index say of the same exchanges, held against each other. */
import { join } from 'node:path';
import type { ExchangeRecord } from '../../../extproc/exchange/record.ts';
import { decodeRecord } from '../../../extproc/exchange/record.ts';
import type { SearchHit } from '../../../extproc/index/port.ts';
import { loadCursor } from '../../../extproc/journal/cursor.ts';
import { loadJournalKey } from '../../../extproc/journal/key.ts';
import { nodeFileSystem } from '../../../extproc/journal/node-fs.ts';
import { journalDirectory, journalsIn } from '../../../extproc/journal/places.ts';
import type { Position } from '../../../extproc/journal/position.ts';
import { comparePositions } from '../../../extproc/journal/position.ts';
import { openJournalReader } from '../../../extproc/journal/reader.ts';
import { verifyJournal } from '../../../extproc/journal/verify.ts';
import { pairs } from '../../environment/https-call.ts';
import type { Arrival } from '../../fakes/claude/arrival.ts';
import type { Entry, Place } from './entry.ts';
import { newEntry, requestOf, valuesOf } from './entry.ts';
import { framesOf } from './frames.ts';
import type { Seen } from './load.ts';

/** Everything that was ever in the journal, kept although the journal frees it. */
export class Evidence {
  readonly violations: string[] = [];
  /** For want of room in the journal: nothing was begun, and nothing could be written of it. */
  unrecordedRefusals = 0;
  /** Whole answers of which the death took the end, or came before it: the next processor had to say it. */
  wholeWithoutEnd = 0;
  readonly #dataDirectory: string;
  readonly #entries = new Map<string, Entry>();
  readonly #byRequestId = new Map<string, Entry[]>();
  /** Where reading goes on, by journal. */
  readonly #next = new Map<number, Position>();
  #arrivalsProven = 0;
  #callsProven = 0;
  /** Callers who have their whole answer, by the id of its exchange. */
  readonly #whole = new Map<string, string>();
  /** Lives at whose end the power failed. */
  readonly #powerFailures = new Set<number>();

  constructor(dataDirectory: string) {
    this.#dataDirectory = dataDirectory;
  }

  get exchanges(): number {
    return this.#entries.size;
  }

  /**
   * To be called while nobody writes. `recovered`: the processor of this life came so far as to take requests.
   * `lostFrom`: a power failure took what stood in that journal from there on, also what was read after an earlier
   * death.
   */
  async afterDeath(death: {
    life: number;
    recovered: boolean;
    lostFrom: ReadonlyMap<number, Position>;
  }): Promise<void> {
    if (death.lostFrom.size > 0) this.#powerFailures.add(death.life);
    for (const [journal, from] of death.lostFrom) this.#forgetFrom(journal, from);
    await this.readOn(death.life);
    for (const { id, life, outcomes } of this.#entries.values()) {
      if (death.recovered && life < death.life && outcomes.length === 0) this.#violation(`${id} has no end`);
    }
  }

  /** What is in the journals now; others may be writing to them. */
  async readOn(life: number): Promise<void> {
    for (const journal of await journalsIn(this.#dataDirectory)) await this.#readJournal(journal, life);
    for (const { id, starts, outcomes } of this.#entries.values()) {
      if (starts.length !== 1) this.#violation(`${id} has ${starts.length} starts`);
      if (outcomes.length > 1) this.#violation(`${id} has ${outcomes.length} ends: ${valuesOf(outcomes)}`);
      this.#proveWhole(id, outcomes);
    }
  }

  /** A worker that was killed then, and is there again: what it had begun before has its end. */
  proveTakenOver(journal: number, killedAtMs: number): void {
    for (const { id, journal: own, startedMs, outcomes } of this.#entries.values()) {
      if (own === journal && startedMs < killedAtMs && outcomes.length === 0) {
        this.#violation(`${id} has no end after the journal of worker ${journal} was taken over`);
      }
    }
  }

  /** What reached the upstream had a record before: allowed, and of exactly the bytes that went up. */
  proveArrivals(arrivals: readonly Arrival[]): void {
    for (; this.#arrivalsProven < arrivals.length; this.#arrivalsProven += 1) {
      const arrival = arrivals[this.#arrivalsProven];
      if (arrival === undefined) continue;
      const requestId = pairs(arrival.headers).find(([name]) => name === 'x-request-id')?.[1] ?? '';
      const entries = (this.#byRequestId.get(requestId) ?? []).filter(({ allows }) => allows.length > 0);
      const isProven = entries.some((entry) => {
        const { bytes, hash } = requestOf(entry);
        if (arrival.bodySha256 === undefined) return arrival.bodyBytes <= bytes;
        return hash.copy().digest('hex') === arrival.bodySha256;
      });
      if (!isProven) this.#violation(`upstream request ${this.#arrivalsProven + 1} has no record: ${arrival.path}`);
    }
  }

  /** All arrivals and all calls that are over; each is proven once. */
  proveCalls(arrivals: readonly Arrival[], calls: readonly Seen[]): void {
    this.proveArrivals(arrivals);
    for (const seen of calls.slice(this.#callsProven)) this.proveSeen(seen);
    this.#callsProven = calls.length;
  }

  /** What a caller was told is on record. */
  proveSeen(seen: Seen): void {
    const { marker, exchangeId, status, received, whole } = seen;
    if (exchangeId === '') return;
    const entry = this.#entries.get(exchangeId);
    if (entry === undefined && isWithoutRoom(status, received)) {
      this.unrecordedRefusals += 1;
    } else if (entry === undefined) {
      this.#violation(`${marker}: no record of ${exchangeId}, status ${status}`);
    } else if (status === 200) {
      const recorded = Buffer.concat(valuesOf(entry.answer));
      const isPrefix = recorded.subarray(0, received.length).equals(received);
      // Chunks that do not complete an answer are synced a little later: only a power failure may take them.
      if (!isPrefix && (isComplete(received, whole) || !this.#lostPower(seen, entry))) {
        const where = `life ${seen.life} to ${seen.overInLife}, begun in ${entry.life}, power failed in ${[...this.#powerFailures].slice(-3)}`;
        this.#violation(`${marker}: ${received.length} bytes answered, ${recorded.length} recorded (${where})`);
      }
      if (whole) {
        this.#whole.set(exchangeId, marker);
        if (entry.outcomes.length === 0) this.wholeWithoutEnd += 1;
        this.#proveWhole(exchangeId, entry.outcomes);
      }
      if (whole && recorded.length !== received.length)
        this.#violation(`${marker}: more is recorded than was answered`);
    } else if (whole && !['denied', 'refused'].includes(entry.outcomes[0]?.value ?? '')) {
      this.#violation(`${marker}: refused with ${status}, recorded as ${valuesOf(entry.outcomes)}`);
    }
  }

  /**
   * Whoever wrote the end, and however often a power failure took it and another one wrote it again. It has none as long as
   * nobody took the journal over: that it has one then is proven of every exchange.
   */
  #proveWhole(id: string, outcomes: Entry['outcomes']): void {
    const marker = this.#whole.get(id);
    if (marker === undefined || outcomes.every(({ value }) => value === 'complete')) return;
    this.#violation(`${marker}: whole, recorded as ${valuesOf(outcomes)}`);
  }

  /** Whatever the index does not have yet stands at or behind the cursor. */
  async proveCursor(indexed: ReadonlyMap<string, SearchHit>): Promise<void> {
    for (const journal of await journalsIn(this.#dataDirectory)) {
      const { position } = await loadCursor(this.#directoryOf(journal), 'index');
      if (position === null) continue;
      for (const { id, journal: own, starts } of this.#entries.values()) {
        const isPassed = own === journal && starts.some(({ at }) => comparePositions(at, position) < 0);
        if (!indexed.has(id) && isPassed) this.#violation(`the cursor passed ${id}`);
      }
    }
  }

  isIndexed(indexed: ReadonlyMap<string, SearchHit>): boolean {
    return [...this.#entries.keys()].every((id) => indexed.has(id));
  }

  /** The index has each exchange once, with the end that the journal has, and no other. */
  proveIndex(indexed: ReadonlyMap<string, SearchHit>): void {
    for (const { id, outcomes } of this.#entries.values()) {
      const outcome = indexed.get(id)?.outcome;
      if (outcome !== outcomes[0]?.value) {
        this.#violation(`${id}: the journal says ${valuesOf(outcomes)}, the index ${outcome}`);
      }
    }
    for (const id of indexed.keys()) if (!this.#entries.has(id)) this.#violation(`the index made up ${id}`);
  }

  async proveJournals(): Promise<void> {
    for (const journal of await journalsIn(this.#dataDirectory)) {
      const { status, damage } = await verifyJournal(this.#directoryOf(journal), await this.#key());
      if (status !== 'clean') this.#violation(`journal ${journal} is ${status}: ${JSON.stringify(damage)}`);
    }
  }

  async #readJournal(journal: number, life: number): Promise<void> {
    const options = { directory: this.#directoryOf(journal), fileSystem: nodeFileSystem, key: await this.#key() };
    const reader = openJournalReader(options);
    try {
      for await (const { records, end } of framesOf(reader.read(this.#next.get(journal) ?? null))) {
        for (const { position, payload } of records) {
          this.#take(decodeRecord(payload), { journal, life }, { at: position, end });
        }
        this.#next.set(journal, end);
      }
    } catch (thrown) {
      this.#violation(`in life ${life} journal ${journal} cannot be read: ${String(thrown)}`);
    } finally {
      await reader.close();
    }
  }

  #take(record: ExchangeRecord, { journal, life }: { journal: number; life: number }, place: Place): void {
    const entry = this.#entries.get(record.exchangeId) ?? newEntry(record, journal, life);
    this.#entries.set(record.exchangeId, entry);
    if (entry.journal !== journal) this.#violation(`${entry.id} is in journals ${entry.journal} and ${journal}`);
    switch (record.kind) {
      case 'started': {
        const { envoyRequestId } = record.started;
        entry.starts.push({ ...place, value: envoyRequestId });
        this.#byRequestId.set(envoyRequestId, [...(this.#byRequestId.get(envoyRequestId) ?? []), entry]);
        return;
      }
      case 'request_body': {
        const { bytes, hash } = requestOf(entry);
        const value = { bytes: bytes + record.bytes.length, hash: hash.copy().update(record.bytes) };
        entry.requests.push({ ...place, value });
        return;
      }
      case 'decided':
        if (record.decided.stage === 'request' && record.decided.verdict === 'allow') {
          entry.allows.push({ ...place, value: true });
        }
        return;
      case 'answer_body':
        entry.answer.push({ ...place, value: Buffer.from(record.bytes) });
        return;
      case 'finished':
        entry.outcomes.push({ ...place, value: record.finished.outcome });
        return;
    }
  }

  #forgetFrom(journal: number, cut: Position): void {
    const isKept = ({ end }: Place) => comparePositions(end, cut) <= 0;
    for (const [id, entry] of this.#entries) {
      if (entry.journal !== journal) continue;
      entry.isAnswerLost ||= !entry.answer.every(isKept);
      for (const kind of ['starts', 'allows', 'requests', 'answer', 'outcomes'] as const) {
        entry[kind] = entry[kind].filter(isKept) as never;
      }
      if (entry.starts.length === 0) this.#entries.delete(id);
    }
    const next = this.#next.get(journal);
    if (next !== undefined && comparePositions(next, cut) > 0) this.#next.set(journal, cut);
  }

  /** Before it was read here, in one of the lives of the call, or after that: then it was taken out of the entry. */
  #lostPower({ life, overInLife }: Seen, entry: Entry): boolean {
    return entry.isAnswerLost || [...this.#powerFailures].some((failed) => failed >= life && failed <= overInLife);
  }

  #directoryOf(journal: number): string {
    return journalDirectory(this.#dataDirectory, journal);
  }

  #key(): Promise<Uint8Array> {
    return loadJournalKey(join(this.#dataDirectory, 'keys', 'journal.key'));
  }

  #violation(text: string): void {
    // What is wrong stays wrong: it is said once.
    if (!this.violations.includes(text)) this.violations.push(text);
  }
}

function isWithoutRoom(status: number | null, received: Buffer): boolean {
  return status === 503 && received.includes('recording space is full');
}

function isComplete(received: Buffer, whole: boolean): boolean {
  return whole || received.includes('event: message_stop');
}
