/** The two ways in which the API pages a list: by the ids at its ends, and by an opaque cursor. */
import { ApiError } from '../api-error.ts';

const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 1_000;

type Identified = { readonly id: string };

/** `limit` with `after_id` or `before_id`; items are newest first. */
export function pageById<Item extends Identified>(items: readonly Item[], query: URLSearchParams) {
  const limit = readLimit(query);
  const afterId = query.get('after_id');
  const beforeId = query.get('before_id');
  const after = afterId === null ? 0 : indexOf(items, afterId) + 1;
  const before = beforeId === null ? items.length : indexOf(items, beforeId);
  const rest = items.slice(after, before);
  const data = beforeId === null ? rest.slice(0, limit) : rest.slice(-limit);
  const has_more = rest.length > data.length;
  return { data, has_more, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
}

/** `limit` with `page`, a cursor of an earlier answer. */
export function pageByCursor<Item>(items: readonly Item[], query: URLSearchParams) {
  const limit = readLimit(query);
  const cursor = query.get('page') ?? 'page_0';
  const start = Number(/^page_([0-9]{1,9})$/.exec(cursor)?.[1] ?? Number.NaN);
  if (Number.isNaN(start)) throw new ApiError(400, 'page: not a cursor of an earlier answer');
  const data = items.slice(start, start + limit);
  const end = start + data.length;
  return {
    data,
    next_page: end < items.length ? `page_${end}` : null,
    prev_page: start > 0 ? `page_${Math.max(0, start - limit)}` : null,
  };
}

function readLimit(query: URLSearchParams): number {
  const digits = query.get('limit') ?? String(LIMIT_DEFAULT);
  const limit = /^[0-9]{1,4}$/.test(digits) ? Number(digits) : 0;
  if (limit < 1 || limit > LIMIT_MAX) throw new ApiError(400, `limit: must be from 1 to ${LIMIT_MAX}`);
  return limit;
}

function indexOf(items: readonly Identified[], id: string): number {
  const index = items.findIndex((item) => item.id === id);
  if (index < 0) throw new ApiError(400, `no item of the id ${id} in this list`);
  return index;
}
