import { SkilltapeError } from '../errors.ts';
import {
  type IndexReplace,
  type IndexSearch,
  type Replacement,
  type SearchQuery,
  searchLimitMax,
} from '../index/port.ts';
import type { TokenKeeper } from '../ship/token-keeper.ts';
import { beganMsOf } from './journal-exchanges.ts';
import { type MaskAgainParts, maskAgain } from './mask-again.ts';
import { type MaskMetadataParts, maskMetadata } from './mask-metadata.ts';
import type { RecordedExchange, RecordedExchanges } from './recorded-exchanges.ts';

/** Exchanges that are looked for in one reading of what is recorded; their ids are held in memory (inv. 10). */
const chunkExchangesMax = 10_000;
/** Progress is told after each of so many exchanges. */
const progressEvery = 100;
/** Characters of an exchange's id; a document of its batch has a full stop and a number behind them. */
const exchangeIdChars = 36;

export type RemaskParts = MaskAgainParts &
  MaskMetadataParts & {
    recorded: Pick<RecordedExchanges, 'read'>;
    index: Pick<IndexSearch, 'search' | 'get'>;
    replace: Pick<IndexReplace, 'replace' | 'stored'>;
    /** Null where values behind tokens are not kept. */
    tokenKeeper: TokenKeeper | null;
    onProgress: (counts: RemaskCounts) => void;
    /** Told of each exchange that stays as it is because it could not be masked; `reason` holds no content. */
    onFailed: (exchangeId: string, reason: string) => void;
  };

/**
 * - `remasked`: other documents stand in the index now; `unchanged`: the same came out.
 * - `failed`: it could not be masked, or the index will not have it; the index has what it had.
 * - `metadata`: so many of these have no content any more, and what the index has left of them was masked.
 * - `gone`: its raw bytes are in no place any more, though the index has its content or would have it if it had not failed.
 * - `absent`: it left the index meanwhile.
 */
export type RemaskCounts = {
  selected: number;
  remasked: number;
  unchanged: number;
  metadata: number;
  failed: number;
  gone: number;
  absent: number;
};

/** `waiting`: why the index cannot go on now, or null. `next`: where to go on, as `before`; null at the end. */
export type RemaskResult = { counts: RemaskCounts; waiting: string | null; next: string | null };

/** Which exchanges: those named, or those of a query, newest first. */
export type RemaskSelection = { ids: readonly string[] } | { query: SearchQuery };

type Chunk = { ids: Set<string>; next: string | null };

/**
 * Reads recorded exchanges again and puts newly masked documents in the place of those that the index has. What cannot
 * be masked stays as it is: metadata of what failed before, and else what earlier rules masked.
 */
export async function remask(selection: RemaskSelection, parts: RemaskParts): Promise<RemaskResult> {
  const counts: RemaskCounts = {
    ...{ selected: 0, remasked: 0, unchanged: 0, metadata: 0, failed: 0, gone: 0, absent: 0 },
  };
  if ('ids' in selection) {
    const waiting = await remaskChunk(new Set(selection.ids), counts, parts);
    return { counts, waiting, next: null };
  }
  let place = selection.query.before ?? null;
  for (;;) {
    const chunk = await chunkOf({ ...selection.query, before: place ?? undefined }, parts.index);
    const waiting = await remaskChunk(chunk.ids, counts, parts);
    // What the chunk has not done yet is selected again from its beginning.
    if (waiting !== null) return { counts, waiting, next: place };
    if (chunk.next === null) return { counts, waiting: null, next: null };
    place = chunk.next;
  }
}

async function chunkOf(query: SearchQuery, index: RemaskParts['index']): Promise<Chunk> {
  const ids = new Set<string>();
  let { before } = query;
  for (;;) {
    const { hits, next } = await index.search({ ...query, before, limit: searchLimitMax });
    for (const { id } of hits) ids.add(id.slice(0, exchangeIdChars));
    if (next === null || ids.size >= chunkExchangesMax) return { ids, next };
    before = next;
  }
}

/** Null when all of them were gone through, else why the index cannot go on. */
async function remaskChunk(ids: Set<string>, counts: RemaskCounts, parts: RemaskParts): Promise<string | null> {
  counts.selected += ids.size;
  if (ids.size === 0) return null;
  const began = [...ids].map(beganMsOf);
  const range = { fromMs: least(began), toMs: greatest(began) + 1 };
  let done = 0;
  const passed = (exchangeId: string): void => {
    ids.delete(exchangeId);
    done += 1;
    if (done % progressEvery === 0) parts.onProgress(counts);
  };
  for await (const recorded of parts.recorded.read(range, (id) => ids.has(id))) {
    const waiting = await remaskOne(recorded, counts, parts);
    if (waiting !== null) return waiting;
    passed(recorded.exchangeId);
  }
  for (const exchangeId of ids) {
    const waiting = await remaskLeft(exchangeId, counts, parts);
    if (waiting !== null) return waiting;
    passed(exchangeId);
  }
  parts.onProgress(counts);
  return null;
}

async function remaskOne(
  { exchangeId, transcript }: RecordedExchange,
  counts: RemaskCounts,
  parts: RemaskParts,
): Promise<string | null> {
  if (transcript === null) return failed(exchangeId, 'its records are not whole', counts, parts);
  const stored = await parts.index.get(exchangeId);
  if (stored === null) {
    counts.absent += 1;
    return null;
  }
  const masked = await maskAgain(transcript, stored, parts);
  if (masked.kind === 'failed') return failed(exchangeId, masked.reason, counts, parts);
  // Before the documents, as shipping does: a token that can be read can be turned back.
  await parts.tokenKeeper?.keep(masked.kept);
  const replacement = await parts.replace.replace(masked.documents);
  // Only now: until its text is in the index, it is new when it comes again.
  if (replacement.kind === 'replaced') masked.recollection.write();
  return counted(exchangeId, replacement, counts, parts);
}

/**
 * Of an exchange without raw bytes: over what the index has and not what the archive keeps, which may be masked less,
 * since earlier runs did not change that.
 */
async function remaskLeft(exchangeId: string, counts: RemaskCounts, parts: RemaskParts): Promise<string | null> {
  const stored = await parts.replace.stored(exchangeId);
  const [own] = stored;
  if (own?.skilltape.keep !== 'metadata') {
    counts.gone += 1;
    return null;
  }
  const masked = await maskMetadata(stored, parts);
  if (masked.kind !== 'masked') return failed(exchangeId, masked.reason, counts, parts);
  const replacement = await parts.replace.replace(masked.documents);
  const isThere = replacement.kind === 'replaced' || replacement.kind === 'unchanged';
  if (isThere && own.skilltape.masking.status === 'failed') {
    counts.gone += 1;
    return null;
  }
  if (isThere) counts.metadata += 1;
  return counted(exchangeId, replacement, counts, parts);
}

/** Null, or why the index cannot go on. */
function counted(
  exchangeId: string,
  replacement: Replacement,
  counts: RemaskCounts,
  parts: Pick<RemaskParts, 'onFailed'>,
): string | null {
  switch (replacement.kind) {
    case 'replaced':
      counts.remasked += 1;
      return null;
    case 'unchanged':
    case 'absent':
      counts[replacement.kind] += 1;
      return null;
    case 'rejected':
      return failed(exchangeId, replacement.reason, counts, parts);
    case 'retry':
      return replacement.reason;
    default:
      return replacement satisfies never;
  }
}

function failed(
  exchangeId: string,
  reason: string,
  counts: RemaskCounts,
  { onFailed }: Pick<RemaskParts, 'onFailed'>,
): null {
  counts.failed += 1;
  onFailed(exchangeId, reason);
  return null;
}

/** A spread of so many arguments would not fit on the stack of every platform. */
function least(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.min(a, b));
}

function greatest(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.max(a, b));
}

/** Throws SkilltapeError `usage` for what cannot be the id of an exchange. */
export function checkedExchangeId(text: string): string {
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return text;
  throw new SkilltapeError('usage', `"${text}" is not the id of an exchange`, {
    remedy: 'give the id of x-skilltape-exchange, or of `skilltape search`',
  });
}
