/** Says what the body of a request to an endpoint must look like. */
import type { Endpoint } from './endpoint.ts';

/**
 * - `messages`: a Messages request · `completion`: the legacy text completion · `batch`: many Messages requests
 * - `upload`: multipart/form-data · `json`: any other JSON · `none`: no body at all
 */
export const bodyForms = ['messages', 'completion', 'batch', 'upload', 'json', 'none'] as const;
export type BodyForm = (typeof bodyForms)[number];

const formByName: ReadonlyMap<string, BodyForm> = new Map([
  ['messages.create', 'messages'],
  ['messages.count_tokens', 'messages'],
  ['messages.cache_touch', 'messages'],
  ['complete.create', 'completion'],
  ['batches.create', 'batch'],
  ['files.upload', 'upload'],
  ['skills.create', 'upload'],
  ['skills.versions.create', 'upload'],
]);

/** Of the families that are not listed path by path, some paths take JSON and some take uploads. */
const mixedKinds = new Set<Endpoint['kind']>(['organizations', 'claude_code', 'oauth']);

/** What an endpoint takes. An endpoint that is unknown takes nothing, so that no body passes unjudged. */
export function bodyFormOf(endpoint: Endpoint, method: string, mediaType: string): BodyForm {
  const form = formByName.get(endpoint.name);
  if (form !== undefined) return form;
  if (endpoint.kind === 'unknown' || method === 'GET' || method === 'DELETE') return 'none';
  return mixedKinds.has(endpoint.kind) && mediaType === 'multipart/form-data' ? 'upload' : 'json';
}
