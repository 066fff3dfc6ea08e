/** Headers in order of arrival, repeats kept, names in lower case (HTTP/2 form; pseudo-headers begin with `:`). */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** The first value of a header, or undefined. */
export function headerValue(headers: HeaderList, name: string): string | undefined {
  for (const [key, value] of headers) if (key === name) return value;
  return undefined;
}

/** All values of a header, as one: repeated headers mean the same as one with commas (RFC 9110 section 5.3). */
export function joinedValue(headers: HeaderList, name: string): string {
  let joined: string | undefined;
  for (const [key, value] of headers) {
    if (key === name) joined = joined === undefined ? value : `${joined}, ${value}`;
  }
  return joined ?? '';
}

/**
 * The headers in which a caller may carry a credential. They are removed before the request goes upstream, and their
 * values are never recorded (inv. 3, inv. 6).
 */
export const callerCredentialHeaders = ['authorization', 'x-api-key', 'proxy-authorization', 'cookie'] as const;

const safeNames = new Set(['x-claude-code-session-id', 'x-claude-code-prompt-id', 'anthropic-organization-id']);
const secretName =
  /assertion|auth|bearer|cookie|credential|csrf|hmac|jwt|key|oidc|pass|principal|pwd|saml|secret|session|signature|token|(?:^|[-_])(?:otp|pin|sig)(?:$|[-_])/;
/** Numbers of tokens that are left, not tokens. */
const rateLimitName = /^anthropic-(?:fast|priority|ratelimit)-[a-z-]+-(?:limit|remaining|reset)$/;
/** Shapes of common keys and tokens, user and password in a URL, and the schemes of `authorization` under another name. */
const secretValue =
  /sk-ant-|gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|AKIA[0-9A-Z]{16}|AIza[\w-]{20}|eyJ[\w-]{10}|-----BEGIN|:\/\/[^/@\s]*@/;
const credentialScheme = /^(?:apikey|basic|bearer|digest|negotiate|token) /i;
/** A URL or a path, also in the brackets of `link`. */
const urlStart = /^<?(?:[a-z][a-z0-9+.-]{0,20}:\/)?\//i;
const notRecorded = '[not recorded]';

/**
 * Headers as they may be recorded. Clients add headers of their own (Claude Code's ANTHROPIC_CUSTOM_HEADERS), and
 * those often carry keys: whatever is named or shaped like a credential keeps its name and loses its value.
 */
export function recordableHeaders(headers: HeaderList): HeaderList {
  return headers.map((header) => {
    const [name, value] = header;
    const recorded = isSecret(name, value) ? notRecorded : withoutQuery(value);
    return recorded === value ? header : ([name, recorded] as const);
  });
}

/** `referer` and `location` have whole URLs, and a query is where those carry credentials. */
function withoutQuery(value: string): string {
  const end = urlStart.test(value) ? value.search(/[?#]/) : -1;
  return end < 0 ? value : `${value.slice(0, end + 1)}${notRecorded}`;
}

function isSecret(name: string, value: string): boolean {
  if (safeNames.has(name) || name.startsWith(':')) return false;
  if (secretValue.test(value) || credentialScheme.test(value)) return true;
  return secretName.test(name) && !rateLimitName.test(name);
}

/** What a name of a parameter looks like; a key without a value stands in the place of a name. */
const plainQueryKey = /^[a-z][a-z_]{0,31}(?:\[\])?$/i;
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
    query[plainQueryKey.test(key) ? key : notRecorded] = recordedQueryKeys.has(key) ? value : notRecorded;
  }
  return { path: target.slice(0, mark), query };
}
