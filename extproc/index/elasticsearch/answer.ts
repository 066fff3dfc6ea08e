import { isObject } from './json.ts';

/** `type` of the error in an answer, a word of Elasticsearch; empty when there is none. */
export function errorType(body: unknown): string {
  const error = isObject(body) ? body.error : undefined;
  return typeOf(error);
}

/** The same of `error` in an item of a bulk answer. */
export function typeOf(error: unknown): string {
  const type = isObject(error) ? error.type : undefined;
  return typeof type === 'string' && /^[a-z_]{1,80}$/.test(type) ? type : '';
}

/**
 * The field of ours that an error is about, or empty. The reason itself is never handed on: Elasticsearch puts a
 * preview of the value into it.
 */
export function fieldOf(error: unknown, isField: (path: string) => boolean): string {
  const reason = isObject(error) ? error.reason : undefined;
  if (typeof reason !== 'string') return '';
  const [, field = ''] = /\bfield \[([\w.@]{1,100})\]/.exec(reason) ?? [];
  return isField(field) ? field : '';
}

/** Why the whole request was refused; holds no content. */
export function refusalReason(status: number, body: unknown): string {
  const type = errorType(body);
  const named = type === '' ? `status ${status}` : `status ${status}, ${type}`;
  if (status === 401) return `Elasticsearch does not accept the credential (${named})`;
  if (isForbidden(status, body)) return `the role of the credential does not allow it (${named})`;
  return `Elasticsearch refused (${named})`;
}

/** What an operator can do about it, where that is known. */
export function refusalRemedy(status: number, body: unknown): string | undefined {
  if (status === 401) return 'put a valid one into its file, which is read again';
  if (isForbidden(status, body)) return 'compare it with deploy/elasticsearch/roles.yml';
  return undefined;
}

/** Both, for a log. */
export function refusal(status: number, body: unknown): string {
  const remedy = refusalRemedy(status, body);
  return `${refusalReason(status, body)}${remedy === undefined ? '' : `: ${remedy}`}`;
}

function isForbidden(status: number, body: unknown): boolean {
  return status === 403 && errorType(body) === 'security_exception';
}
