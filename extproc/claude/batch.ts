/** Reads the body of `POST /v1/messages/batches`: many Messages requests in one. */
import { isJsonObject, type JsonValue } from './json.ts';
import { type MessagesRequest, readMessagesRequest } from './request.ts';

/** `customId` is the caller's own name for the entry; the results come back under it. */
export type BatchEntry = { customId: string; request: MessagesRequest };

export type ReadBatch = { ok: true; entries: BatchEntry[] } | { ok: false; fault: string };

/** `fault` names the entry by its index and the field in it, never a value. */
export function readBatchRequest(value: JsonValue): ReadBatch {
  if (!isJsonObject(value)) return { ok: false, fault: 'the body must be an object' };
  const { requests } = value;
  if (!Array.isArray(requests)) return { ok: false, fault: 'requests must be an array' };
  if (requests.length === 0) return { ok: false, fault: 'requests must not be empty' };
  const entries: BatchEntry[] = [];
  const indexById = new Map<string, number>();
  for (const [at, entry] of requests.entries()) {
    const place = `requests[${at}]`;
    if (!isJsonObject(entry)) return { ok: false, fault: `${place} must be an object` };
    const { custom_id: customId, params } = entry;
    if (typeof customId !== 'string' || customId === '') {
      return { ok: false, fault: `${place}.custom_id must be a non-empty string` };
    }
    const earlier = indexById.get(customId);
    if (earlier !== undefined) return { ok: false, fault: `${place}.custom_id repeats that of requests[${earlier}]` };
    indexById.set(customId, at);
    if (!isJsonObject(params)) return { ok: false, fault: `${place}.params must be an object` };
    const read = readMessagesRequest(params);
    if (!read.ok) return { ok: false, fault: `${place}.params: ${read.fault}` };
    entries.push({ customId, request: read.request });
  }
  return { ok: true, entries };
}
