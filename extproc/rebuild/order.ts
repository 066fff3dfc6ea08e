/** The exchanges of an archive in the order in which shipping took them, and in its place what is left of one. */
import type { JournalPlace } from '../archive/format.ts';
import type { Chain, Damaged, ReadOutcome, StoredExchange } from '../archive/reader.ts';
import { SkilltapeError } from '../errors.ts';
import { decodeRecordHead } from '../exchange/record.ts';
import { type MetadataRecord, storedMetadata } from '../ship/metadata-record.ts';

/** The exchange of a chain that was gone through last. */
export type Place = Chain & { segment: number; frame: number };

/** What there is of an exchange. */
export type Archived =
  | { kind: 'found'; exchange: StoredExchange; endedMs: number; place: JournalPlace; at: Place }
  | { kind: 'metadata'; exchangeId: string; record: MetadataRecord; endedMs: number; place: JournalPlace; at: Place }
  | { kind: 'unopened'; exchangeId: string; at: Place }
  | { kind: 'damaged'; exchangeId: string; at: Place; reason: string };

/** What is needed of an `ArchiveReader`. */
export type ArchiveChains = {
  read(exchangeId: string): Promise<ReadOutcome>;
  chains(): Promise<Chain[]>;
  chain(chain: Chain, behind: { segment: number; frame: number } | null): AsyncIterable<Stored>;
};

type Stored = Exclude<ReadOutcome, { kind: 'absent' }> | Damaged;
/** Reads one on from what a chain has. */
type Take = (outcome: Stored) => Promise<Archived>;
type Head = { source: AsyncIterator<Stored>; take: Take; next: Archived };

/**
 * Each chain is in that order already. Between chains it is the order of ends, and of one journal the places of the ends
 * where the clock does not tell them apart; an exchange comes before its metadata. `behind` has the places to go on from.
 */
export async function* inOrderOfEnds(
  archive: ArchiveChains,
  metadata: ArchiveChains,
  behind: readonly Place[],
): AsyncGenerator<Archived> {
  const heads = [...(await headsOf(archive, foundOf, behind)), ...(await headsOf(metadata, leftOf, behind))];
  while (heads.length > 0) {
    const first = heads.reduce((best, head) => (isBefore(head.next, best.next) ? head : best));
    yield first.next;
    const next = await nextOf(first.source, first.take);
    if (next === null) heads.splice(heads.indexOf(first), 1);
    else first.next = next;
  }
}

async function headsOf(archive: ArchiveChains, take: Take, behind: readonly Place[]): Promise<Head[]> {
  const heads: Head[] = [];
  for (const chain of await archive.chains()) {
    const place = behind.find(
      ({ writer, retentionClass }) => writer === chain.writer && retentionClass === chain.retentionClass,
    );
    const source = archive.chain(chain, place ?? null)[Symbol.asyncIterator]();
    const next = await nextOf(source, take);
    if (next !== null) heads.push({ source, take, next });
  }
  return heads;
}

async function nextOf(source: Head['source'], take: Take): Promise<Archived | null> {
  const step = await source.next();
  if (step.done === true) return null;
  const outcome = step.value;
  try {
    return await take(outcome);
  } catch (thrown) {
    if (!(thrown instanceof SkilltapeError) || thrown.code !== 'archive_corrupt') throw thrown;
    return { kind: 'damaged', ...whereOf(outcome), reason: thrown.message };
  }
}

async function foundOf(outcome: Stored): Promise<Archived> {
  if (outcome.kind !== 'found') return notFound(outcome);
  const { exchange } = outcome;
  return { kind: 'found', exchange, endedMs: await endedMsOf(exchange), place: exchange.place, at: exchange.at };
}

async function leftOf(outcome: Stored): Promise<Archived> {
  if (outcome.kind !== 'found') return notFound(outcome);
  const { exchange } = outcome;
  const record = storedMetadata(await exchange.metadata());
  const where = { exchangeId: exchange.exchangeId, at: exchange.at };
  return record === null
    ? { kind: 'damaged', ...where, reason: 'what is left of it is not as this version writes it' }
    : { kind: 'metadata', ...where, record, endedMs: record.endedMs, place: exchange.place };
}

function notFound(outcome: Exclude<Stored, { kind: 'found' }>): Archived {
  return outcome.kind === 'damaged' ? outcome : { kind: 'unopened', ...whereOf(outcome) };
}

function whereOf(outcome: Stored): { exchangeId: string; at: Place } {
  const { exchangeId, at } = outcome.kind === 'found' ? outcome.exchange : outcome;
  return { exchangeId, at };
}

/** Of the first end, as shipping takes it. */
async function endedMsOf(exchange: StoredExchange): Promise<number> {
  for await (const { payload } of exchange.heads()) {
    const { kind, timeMs } = decodeRecordHead(payload);
    if (kind === 'finished') return timeMs;
  }
  return 0;
}

/** What is not found holds up nobody. Of two of the same place the one that is met first stays first. */
function isBefore(a: Archived, b: Archived): boolean {
  if (!('endedMs' in a) || !('endedMs' in b)) return !('endedMs' in a) && 'endedMs' in b;
  if (a.endedMs !== b.endedMs) return a.endedMs < b.endedMs;
  const [left, right] = [a.place, b.place];
  if (left.journal !== right.journal) return left.journal < right.journal;
  return left.segment < right.segment || (left.segment === right.segment && left.offset < right.offset);
}
