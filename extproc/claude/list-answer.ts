/** Leaves out of a list of Claude's what is not to be shown, and changes nothing else in it. */
import { Buffer } from 'node:buffer';
import { isJsonObject, parseStrictJson, requestMaxDepth, requestMaxTokens } from './json.ts';
import { elementsOf, membersOf } from './json-places.ts';
import { isVendorSkill, type OwnedKind } from './owned-ids.ts';

/** Of which thing each entry of a list speaks, and in which of its fields the id of it stands. */
const forms: ReadonlyMap<string, { kind: OwnedKind; idField: string }> = new Map([
  ['files.list', { kind: 'file', idField: 'id' }],
  ['batches.list', { kind: 'batch', idField: 'id' }],
  ['skills.list', { kind: 'skill', idField: 'id' }],
  ['sessions.list', { kind: 'session', idField: 'id' }],
  ['agents.list', { kind: 'agent', idField: 'id' }],
  ['environments.list', { kind: 'environment', idField: 'id' }],
  ['deployments.list', { kind: 'deployment', idField: 'id' }],
  ['memory_stores.list', { kind: 'memory_store', idField: 'id' }],
  ['dreams.list', { kind: 'dream', idField: 'id' }],
  ['user_profiles.list', { kind: 'user_profile', idField: 'id' }],
  ['vaults.list', { kind: 'vault', idField: 'id' }],
  // A schedule begins runs too: they are of whoever made the deployment.
  ['deployment_runs.list', { kind: 'deployment', idField: 'deployment_id' }],
]);

/** Whether the things in the answer of an endpoint are known by their owners. */
export function isListOfThings(endpoint: string): boolean {
  return forms.has(endpoint);
}

/** The API has no more on one page; each is looked up while the answer waits (inv. 10). */
export const listedMax = 1_000;
const cursorMaxChars = 4096;

/** `json` is the text of each as it came. `id` is null where it is no text; `isVendors`: a skill that is nobody's. */
export type ListEntry = { json: string; kind: OwnedKind; id: string | null; idJson: string; isVendors: boolean };
export type ListAnswer = { fields: { name: string; json: string }[]; entries: ListEntry[] };
export type ListFault = 'not_json' | 'not_a_list' | 'too_many_entries';
export type ReadList = { ok: true; list: ListAnswer } | { ok: false; fault: ListFault };

/** Refused is what two readers could read differently, as in requests: what is left out must be left out for all of them. */
export function readList(endpoint: string, json: Uint8Array): ReadList {
  const form = forms.get(endpoint);
  const parsed = parseStrictJson(json, { maxDepth: requestMaxDepth, maxTokens: requestMaxTokens });
  if (!parsed.ok) return { ok: false, fault: 'not_json' };
  if (form === undefined || !isJsonObject(parsed.value)) return { ok: false, fault: 'not_a_list' };
  const { data } = parsed.value;
  if (!Array.isArray(data)) return { ok: false, fault: 'not_a_list' };
  if (data.length > listedMax) return { ok: false, fault: 'too_many_entries' };
  const text = Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString('utf8');
  const fields = [...membersOf(text, text.indexOf('{'))];
  const place = fields.find(({ name }) => name === 'data');
  const texts = [...elementsOf(text, place?.start ?? 0)];
  const entries = data.map((value, at): ListEntry => {
    const entry = { json: texts[at] ?? '', kind: form.kind, id: null, idJson: 'null', isVendors: false };
    if (!isJsonObject(value)) return entry;
    const { [form.idField]: id, source } = value;
    if (typeof id !== 'string') return entry;
    const isVendors = form.kind === 'skill' && source === 'anthropic' && isVendorSkill(id);
    return { ...entry, id, idJson: JSON.stringify(id), isVendors };
  });
  return {
    ok: true,
    list: { fields: fields.map(({ name, start, end }) => ({ name, json: text.slice(start, end) })), entries },
  };
}

/** Beside `data`: whether more is behind, and where. Others could speak of all entries, so they are left out. */
const plainFields = new Set(['has_more', 'next_page', 'prev_page']);
const plainValue = /^(?:true|false|null|".*")$/s;

export type ShownList =
  /** `json` is null where the list may pass as it came. */
  { ok: true; json: string | null; shown: number } | { ok: false; fault: 'cursor_shows_ids' };

/**
 * The list with those entries alone for which `mayShow` is true. Its ends (`first_id`, `last_id`) are those of what is
 * left. `next_page` and `prev_page` stay the upstream's: one in which the id of something else can be read is a fault.
 */
export function shownList({ fields, entries }: ListAnswer, mayShow: (entry: ListEntry) => boolean): ShownList {
  const shown = entries.filter(mayShow);
  const ids = { shown: new Set(shown.map(({ id }) => id)), all: new Set(entries.map(({ id }) => id)) };
  const members: string[] = [];
  let isAsItCame = true;
  for (const { name, json } of fields) {
    const goes = fieldOf(name, json, shown, shown.length === entries.length);
    if (goes !== json) isAsItCame = false;
    if (goes === null) continue;
    if (plainFields.has(name) && showsIds(goes, ids)) return { ok: false, fault: 'cursor_shows_ids' };
    members.push(`${JSON.stringify(name)}:${goes}`);
  }
  return { ok: true, json: isAsItCame ? null : `{${members.join(',')}}`, shown: shown.length };
}

/** The value of a field as it goes on; null for one that does not. */
function fieldOf(name: string, json: string, shown: readonly ListEntry[], areAll: boolean): string | null {
  if (name === 'data') return areAll ? json : `[${shown.map((entry) => entry.json).join(',')}]`;
  if (name === 'first_id') return shown[0]?.idJson ?? 'null';
  if (name === 'last_id') return shown.at(-1)?.idJson ?? 'null';
  return plainFields.has(name) && plainValue.test(json) ? json : null;
}

/** A shorter text stands in a cursor by chance. */
const idMinChars = 6;
/** As the API writes the ids of its things. */
const idForm = /(?<![a-z])(?!page_)[a-z]{2,16}_0[0-9A-Za-z]{12,}/g;

/** Whether a cursor has, as it is or in base64, an id that is not among those shown. */
function showsIds(json: string, ids: { shown: ReadonlySet<string | null>; all: ReadonlySet<string | null> }): boolean {
  const cursor: unknown = JSON.parse(json);
  if (typeof cursor !== 'string') return false;
  if (cursor.length > cursorMaxChars) return true;
  const behindPrefix = cursor.slice(cursor.indexOf('_') + 1);
  const readable = [cursor, ...[cursor, behindPrefix].map((text) => Buffer.from(text, 'base64').toString('latin1'))];
  return readable.some((text) => {
    for (const [id] of text.matchAll(idForm)) if (!ids.shown.has(id)) return true;
    return [...ids.all].some((id) => id !== null && id.length >= idMinChars && !ids.shown.has(id) && text.includes(id));
  });
}
