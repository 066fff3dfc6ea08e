import { fieldOf, refusal, typeOf } from './answer.ts';
import { isObject } from './json.ts';
import { mappedField } from './mapping.ts';

/** What one item of a bulk answer says of its document; a `reason` holds no content. */
export type ItemOutcome =
  | { kind: 'accepted' }
  | { kind: 'duplicate' }
  | { kind: 'retry'; reason: string }
  | { kind: 'refused'; reason: string };

/** Status 400, but about the cluster or the index and not about the document: too many shards, say. */
const passing: ReadonlySet<string> = new Set([
  'validation_exception',
  'index_closed_exception',
  'invalid_index_name_exception',
  'process_cluster_event_timeout_exception',
  'circuit_breaking_exception',
]);

/** `item` is what stands under `create`. Whatever is not clearly the document's own fault is tried again. */
export function itemOutcome(item: unknown): ItemOutcome {
  const { status, error } = isObject(item) ? item : {};
  if (typeof status !== 'number') return { kind: 'retry', reason: 'the answer of Elasticsearch cannot be used' };
  if (status === 200 || status === 201) return { kind: 'accepted' };
  const type = typeOf(error);
  if (status === 409) return { kind: 'duplicate' };
  if ((status === 400 || status === 413) && !passing.has(type)) return { kind: 'refused', reason: faultReason(error) };
  return { kind: 'retry', reason: itemRefusal(status, type, error) };
}

/** The type and, where it is one of ours, the field. The reason of Elasticsearch itself quotes values. */
export function faultReason(error: unknown): string {
  const type = typeOf(error) || 'unnamed fault';
  const field = fieldOf(error, (path) => mappedField(path) !== undefined);
  return field === '' ? `Elasticsearch: ${type}` : `Elasticsearch: ${type} in ${field}`;
}

function itemRefusal(status: number, type: string, error: unknown): string {
  if (type === 'cluster_block_exception') return `Elasticsearch takes no writes now: the index is blocked (${status})`;
  return refusal(status, { error });
}
