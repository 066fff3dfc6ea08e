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

/** What an operator can do about a refusal of the whole request. */
export function refusalReason(status: number, body: unknown): string {
  const type = errorType(body);
  const named = type === '' ? `status ${status}` : `status ${status}, ${type}`;
  if (status === 401) return `Elasticsearch does not accept the credential (${named})`;
  if (status === 403 && type === 'security_exception') return `the role of the credential does not allow it (${named})`;
  return `Elasticsearch refused (${named})`;
}
