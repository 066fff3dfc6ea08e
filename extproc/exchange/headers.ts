/** Headers in order of arrival, repeats kept, names in lower case (HTTP/2 form; pseudo-headers begin with `:`). */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** The first value of a header, or undefined. */
export function headerValue(headers: HeaderList, name: string): string | undefined {
  return headers.find(([key]) => key === name)?.[1];
}

/**
 * The headers in which a caller may carry a credential. They are removed before the request goes upstream, and their
 * values are never recorded (inv. 3, inv. 6).
 */
export const callerCredentialHeaders = ['authorization', 'x-api-key', 'proxy-authorization', 'cookie'] as const;

const safeNames = new Set(['x-claude-code-session-id', 'x-claude-code-prompt-id', 'anthropic-organization-id']);
const secretName = /auth|cookie|credential|key|passw|secret|session|signature|token/;
const secretValue = /sk-ant-|^(?:bearer|basic) /i;

/**
 * Headers as they may be recorded. Clients add headers of their own (Claude Code's ANTHROPIC_CUSTOM_HEADERS), and
 * those often carry keys: whatever is named or shaped like a credential keeps its name and loses its value.
 */
export function recordableHeaders(headers: HeaderList): HeaderList {
  return headers.map(([name, value]) => [name, isSecret(name, value) ? '[not recorded]' : value] as const);
}

function isSecret(name: string, value: string): boolean {
  if (safeNames.has(name) || name.startsWith(':')) return false;
  return secretName.test(name) || secretValue.test(value);
}

const recordedQueryKeys = new Set(['beta', 'limit', 'page', 'before_id', 'after_id', 'source', 'ids[]']);

/** Path without its query, and the query with only the values that the API defines: others may be credentials. */
export function splitTarget(target: string): {
  path: string;
  query: Record<string, string>;
} {
  const mark = target.indexOf('?');
  if (mark < 0) return { path: target, query: {} };
  const query: Record<string, string> = Object.create(null);
  for (const [key, value] of new URLSearchParams(target.slice(mark + 1))) {
    query[key] = recordedQueryKeys.has(key) ? value : '[not recorded]';
  }
  return { path: target.slice(0, mark), query };
}
