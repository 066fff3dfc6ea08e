import type { Endpoint } from '../claude/endpoint.ts';
import { isListOfThings, type ListEntry, listedMax, shownList } from '../claude/list-answer.ts';
import type { AnswerChange } from './changed-answer.ts';
import { changedAnswerMaxBytes, tooLarge } from './changed-answer.ts';
import { isCallers, type OwnerScope } from './ownership.ts';
import type { Connection, Owners } from './ports.ts';
import type { Reader } from './reader.ts';

const ofWhat = 'a list that is filtered';
/** Looked up in one turn of the event loop, so that other exchanges go on meanwhile. */
const lookedUpAtOnce = 100;

/** Whether its answer shows the caller only what is the caller's. */
export function filtersLists({ lists }: Pick<Connection, 'lists'>, endpoint: Pick<Endpoint, 'name'>): boolean {
  return lists === 'filtered' && isListOfThings(endpoint.name);
}

/**
 * Of a list of what everybody with the same key made, the caller is given what is the caller's. `publicUrl` is where
 * links of batches lead, null where they stay.
 */
export function filteredList(options: {
  endpoint: string;
  publicUrl: string | null;
  scope: OwnerScope;
  owners: Owners;
  reader: Reader;
}): AnswerChange {
  const { endpoint, publicUrl, scope, owners, reader } = options;
  return {
    ofWhat,
    async change(body, contentEncoding) {
      const asked = { endpoint, publicUrl, contentEncoding, maxBytes: changedAnswerMaxBytes };
      const read = await reader.read('list', asked, body);
      if (!read.ok) return { ok: false, reason: faultTexts[read.fault] };
      const { entries } = read.list;
      const callers = await ofCaller(entries, scope, owners);
      const list = shownList(read.list, (entry) => callers.has(entry));
      if (!list.ok) return { ok: false, reason: faultTexts[list.fault] };
      const bytes = list.json === null ? read.bytes : Buffer.from(list.json);
      const note = `list filtered: ${list.shown} of ${entries.length} entries given`;
      return { ok: true, bytes, changed: list.json !== null || read.changed, note };
    },
  };
}

async function ofCaller(entries: readonly ListEntry[], scope: OwnerScope, owners: Owners): Promise<Set<ListEntry>> {
  const found = new Set<ListEntry>();
  for (const [at, entry] of entries.entries()) {
    if (at > 0 && at % lookedUpAtOnce === 0) await new Promise((resolve) => setImmediate(resolve));
    const { kind, id, isVendors } = entry;
    if (isVendors || (id !== null && isCallers({ kind, id }, scope, owners))) found.add(entry);
  }
  return found;
}

const faultTexts = {
  too_large: tooLarge(ofWhat),
  not_json: `${ofWhat} is no JSON, or such that two readers could read it differently`,
  not_decoded: `${ofWhat} could not be decoded`,
  not_a_list: `${ofWhat} has no list in it`,
  too_many_entries: `${ofWhat} has more than ${listedMax} entries`,
  cursor_shows_ids: `${ofWhat} says by the id of something else where it goes on`,
} as const;
