/** The exchanges of an archive in the order in which shipping took them. */
import type { Chain, Damaged, ReadOutcome, StoredExchange } from '../archive/reader.ts';
import { SkilltapeError } from '../errors.ts';
import { decodeRecordHead } from '../exchange/record.ts';

/** The exchange of a chain that was gone through last. */
export type Place = Chain & { segment: number; frame: number };

export type Archived =
  | { kind: 'found'; exchange: StoredExchange; endedMs: number; at: Place }
  | { kind: 'unopened'; exchangeId: string; at: Place }
  | { kind: 'damaged'; exchangeId: string; at: Place; reason: string };

/** What is needed of an `ArchiveReader`. */
export type ArchiveChains = {
  read(exchangeId: string): Promise<ReadOutcome>;
  chains(): Promise<Chain[]>;
  chain(
    chain: Chain,
    behind: { segment: number; frame: number } | null,
  ): AsyncIterable<Exclude<ReadOutcome, { kind: 'absent' }> | Damaged>;
};

type Head = { source: AsyncIterator<Exclude<ReadOutcome, { kind: 'absent' }> | Damaged>; next: Archived };

/**
 * Each chain is in that order already. Between chains it is the order of ends, and of one journal the places of the ends
 * where the clock does not tell them apart. `behind` has the places to go on from.
 */
export async function* inOrderOfEnds(archive: ArchiveChains, behind: readonly Place[]): AsyncGenerator<Archived> {
  const heads: Head[] = [];
  for (const chain of await archive.chains()) {
    const place = behind.find(
      ({ writer, retentionClass }) => writer === chain.writer && retentionClass === chain.retentionClass,
    );
    const source = archive.chain(chain, place ?? null)[Symbol.asyncIterator]();
    const next = await nextOf(source);
    if (next !== null) heads.push({ source, next });
  }
  while (heads.length > 0) {
    const first = heads.reduce((best, head) => (isBefore(head.next, best.next) ? head : best));
    yield first.next;
    const next = await nextOf(first.source);
    if (next === null) heads.splice(heads.indexOf(first), 1);
    else first.next = next;
  }
}

async function nextOf(source: Head['source']): Promise<Archived | null> {
  const step = await source.next();
  if (step.done === true) return null;
  const outcome = step.value;
  if (outcome.kind === 'unopened') return { kind: 'unopened', exchangeId: outcome.exchangeId, at: outcome.at };
  if (outcome.kind === 'damaged') return outcome;
  const { exchange } = outcome;
  try {
    return { kind: 'found', exchange, endedMs: await endedMsOf(exchange), at: exchange.at };
  } catch (thrown) {
    if (!(thrown instanceof SkilltapeError) || thrown.code !== 'archive_corrupt') throw thrown;
    return { kind: 'damaged', exchangeId: exchange.exchangeId, at: exchange.at, reason: thrown.message };
  }
}

/** Of the first end, as shipping takes it. */
async function endedMsOf(exchange: StoredExchange): Promise<number> {
  for await (const { payload } of exchange.heads()) {
    const { kind, timeMs } = decodeRecordHead(payload);
    if (kind === 'finished') return timeMs;
  }
  return 0;
}

/** What is not found holds up nobody. */
function isBefore(a: Archived, b: Archived): boolean {
  if (a.kind !== 'found' || b.kind !== 'found') return a.kind !== 'found' && b.kind === 'found';
  if (a.endedMs !== b.endedMs) return a.endedMs < b.endedMs;
  const [left, right] = [a.exchange.place, b.exchange.place];
  if (left.journal !== right.journal) return left.journal < right.journal;
  return left.segment < right.segment || (left.segment === right.segment && left.offset < right.offset);
}
