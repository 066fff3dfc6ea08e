/** Gathers conversations out of the index, session by session, and gives them to a sink. */
import { SkilltapeError } from '../errors.ts';
import { type IndexSearch, type SearchQuery, searchLimitMax } from '../index/port.ts';
import type { Masked } from '../masking/masked.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import { type ChatPart, chatPartOf } from './chat.ts';
import type { ChatSink } from './sink.ts';
import { conversationsOf } from './threads.ts';

/** Exchanges that match and are in no line, by the reason. */
export const leftOutReasons = ['erased', 'masking_failed', 'metadata_only', 'no_messages', 'gone'] as const;
export type LeftOut = (typeof leftOutReasons)[number];

/**
 * - `erased`: of a person who was erased, while the index was away. `metadata_only`: policy or retention left no text.
 * - `no_messages`: no turn of a chat, such as a list of files. `gone`: deleted while it was exported.
 */
export type ExportCounts = {
  conversations: number;
  exchanges: number;
  messages: number;
  left_out: Record<LeftOut, number>;
};

export type ExportParts = {
  index: Pick<IndexSearch, 'search' | 'get'>;
  sink: Pick<ChatSink, 'append'>;
  isErased(document: ExchangeDocument): Promise<boolean>;
  /** Told after each session. */
  onProgress: (counts: ExportCounts) => void;
  limits?: ExportLimits;
};

/**
 * @property sessionsMax, sessionExchangesMax: their ids are in memory
 * @property heldMaxBytes of the conversations of one session that are in memory; beyond it each exchange is a line
 */
export type ExportLimits = { sessionsMax: number; sessionExchangesMax: number; heldMaxBytes: number };

const limitsByDefault: ExportLimits = {
  sessionsMax: 500_000,
  sessionExchangesMax: 200_000,
  heldMaxBytes: 64 * 1024 * 1024,
};

export type ExportQuery = SearchQuery & { to: Date };

/** `revisions`: of the policies that said what was kept and masked. */
export type Exported = { counts: ExportCounts; revisions: string[] };

/**
 * From the index and not from the archive: the documents of the archive are those of the first masking, and what was masked
 * again, reduced by retention or deleted since stands in the index alone. `query.to` must be given: what comes meanwhile
 * is not in it. Throws SkilltapeError `usage` at a limit, `index_failed` when the index cannot answer.
 */
export async function exportChats(query: ExportQuery, parts: ExportParts): Promise<Exported> {
  const limits = parts.limits ?? limitsByDefault;
  const exporting = new Exporting(query, parts, limits);
  for (const session of await sessionsOf(query, parts.index, limits)) {
    await exporting.take(session);
    parts.onProgress(exporting.counts);
  }
  return { counts: exporting.counts, revisions: exporting.revisions() };
}

class Exporting {
  readonly counts: ExportCounts = {
    ...{ conversations: 0, exchanges: 0, messages: 0 },
    left_out: { erased: 0, masking_failed: 0, metadata_only: 0, no_messages: 0, gone: 0 },
  };
  readonly #query: ExportQuery;
  readonly #parts: ExportParts;
  readonly #limits: ExportLimits;
  readonly #revisions = new Set<string>();

  constructor(query: ExportQuery, parts: ExportParts, limits: ExportLimits) {
    this.#query = query;
    this.#parts = parts;
    this.#limits = limits;
  }

  revisions(): string[] {
    return [...this.#revisions].filter((revision) => revision !== '').sort();
  }

  /** Where not all of a session is exported nobody could tell which exchange goes on with which: each is a line then. */
  async take(session: string): Promise<void> {
    const { index } = this.#parts;
    const ids = await idsOf(this.#query, session, index, this.#limits);
    const { to, noise } = this.#query;
    let isWhole = ids.length === (await idsOf({ to, noise }, session, index, this.#limits)).length;
    let [held, heldBytes]: [Masked<ChatPart>[], number] = [[], 0];
    for (const id of ids) {
      const part = await this.#partOf(id);
      if (part === 'no_messages') continue;
      if (typeof part === 'string') isWhole = false;
      else {
        held.push(part);
        heldBytes += JSON.stringify(part).length;
      }
      if (heldBytes < this.#limits.heldMaxBytes) continue;
      await this.#write(held, isWhole);
      [held, heldBytes, isWhole] = [[], 0, false];
    }
    await this.#write(held, isWhole);
  }

  async #partOf(id: string): Promise<Masked<ChatPart> | LeftOut> {
    const document = await this.#parts.index.get(id);
    const part = document === null ? 'gone' : ((await reasonAgainst(document, this.#parts)) ?? chatPartOf(document));
    const counted = typeof part !== 'string' && part.messages.length === 0 ? 'no_messages' : part;
    if (typeof counted === 'string') this.counts.left_out[counted] += 1;
    else {
      this.#revisions.add(counted.recordPolicyRevision);
      this.counts.exchanges += 1;
      this.counts.messages += counted.messages.length;
    }
    return counted;
  }

  async #write(parts: readonly Masked<ChatPart>[], isWhole: boolean): Promise<void> {
    for (const conversation of isWhole ? conversationsOf(parts) : parts.map((part) => [part])) {
      await this.#parts.sink.append(conversation);
      this.counts.conversations += 1;
    }
  }
}

async function reasonAgainst(document: ExchangeDocument, { isErased }: ExportParts): Promise<LeftOut | null> {
  if (await isErased(document)) return 'erased';
  const { masking, keep } = document.skilltape;
  if (masking.status === 'failed') return 'masking_failed';
  return keep === 'full' ? null : 'metadata_only';
}

/** Those that began first are first. */
async function sessionsOf(
  query: SearchQuery,
  index: ExportParts['index'],
  { sessionsMax }: ExportLimits,
): Promise<string[]> {
  const sessions = new Set<string>();
  for await (const { session } of hitsOf(query, index)) {
    // Newest first: the last mention of a session is its oldest exchange.
    sessions.delete(session);
    sessions.add(session);
    if (sessions.size > sessionsMax) throw tooMany(`there are more than ${sessionsMax} sessions`);
  }
  return [...sessions].reverse();
}

/** Oldest first. */
async function idsOf(
  query: SearchQuery,
  session: string,
  index: ExportParts['index'],
  { sessionExchangesMax }: ExportLimits,
): Promise<string[]> {
  const ids: string[] = [];
  for await (const hit of hitsOf({ ...query, session }, index)) {
    if (hit.session === session) ids.push(hit.id);
    if (ids.length > sessionExchangesMax)
      throw tooMany(`session ${session} has more than ${sessionExchangesMax} exchanges`);
  }
  return ids.reverse();
}

async function* hitsOf(query: SearchQuery, index: ExportParts['index']) {
  for (let before: string | undefined; ; ) {
    const page = await index.search({ ...query, limit: searchLimitMax, before });
    yield* page.hits;
    if (page.next === null) return;
    before = page.next;
  }
}

function tooMany(what: string): SkilltapeError {
  return new SkilltapeError('usage', `${what} in what is to be exported`, {
    remedy: 'export less at once: --from, --to',
  });
}
