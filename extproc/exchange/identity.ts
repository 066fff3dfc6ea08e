import type { JsonFacts } from './frame.ts';

/** Who called: the verified token's issuer and subject, with what the provider's claims add. */
export type Identity = {
  issuer: string;
  subject: string;
  name: string;
  email: string;
  groups: string[];
};

export type AuthenticationFailure = 'missing' | 'failed' | 'two_credentials' | 'wrong_issuer';

export type Authentication =
  | { kind: 'verified'; identity: Identity }
  | { kind: 'failed'; failure: AuthenticationFailure; detail: string };

/** Where a provider's tokens keep what we need; `groups` may be a dotted path into nested claims. */
export type ClaimPaths = {
  subject: string;
  name: string;
  email: string;
  groups: string;
};
export type IdentityProvider = {
  name: string;
  issuer: string;
  claims: ClaimPaths;
};

const jwtFilter = 'envoy.filters.http.jwt_authn';
const rbacFilter = 'envoy.filters.http.rbac';

/**
 * The identity that Envoy verified, from its own metadata and never from a header (inv. 5). Verified means: the
 * payload of the route's provider is there and no failure stands beside it. Absence of a failure proves nothing, and
 * a payload beside a failure can be two people's tokens in two headers.
 */
export function authenticationOf(
  metadata: Record<string, JsonFacts>,
  query: Readonly<Record<string, string>>,
  provider: IdentityProvider,
): Authentication {
  // RFC 6750 section 2.3. The path goes upstream as it is, so the token would leave the house with it.
  if (Object.hasOwn(query, 'access_token')) return failed('failed', 'A token in the query of the URL is not taken');
  if (metadata[rbacFilter]?.shadow_effective_policy_id === 'two_credentials') {
    return failed('two_credentials', 'The request has both an authorization and an x-api-key header');
  }
  const jwt = metadata[jwtFilter] ?? {};
  const failure = jwt[`failed_${provider.name}`];
  const payload = jwt[`payload_${provider.name}`];
  if (failure !== undefined) {
    const reason = (isObject(failure) && text(failure.message)) || 'the token was refused';
    return reason === 'Jwt is missing' ? failed('missing', reason) : failed('failed', reason);
  }
  if (!isObject(payload)) return failed('missing', 'No token was presented');
  if (payload.iss !== provider.issuer) return failed('wrong_issuer', 'The token is of another issuer');
  return identityOf(payload, provider);
}

function identityOf(payload: JsonFacts, { issuer, claims }: IdentityProvider): Authentication {
  const subject = text(claim(payload, claims.subject));
  if (subject === '') return failed('failed', `The token has no ${claims.subject} claim`);
  const groups = claim(payload, claims.groups);
  return {
    kind: 'verified',
    identity: {
      issuer,
      subject,
      name: text(claim(payload, claims.name)),
      email: text(claim(payload, claims.email)),
      groups: Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [],
    },
  };
}

function failed(failure: AuthenticationFailure, detail: string): Authentication {
  return { kind: 'failed', failure, detail };
}

/** A claim whose own name has dots (a URL, as many providers use) is found before the path is taken apart. */
function claim(payload: JsonFacts, path: string): unknown {
  if (Object.hasOwn(payload, path)) return payload[path];
  let value: unknown = payload;
  for (const key of path.split('.')) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

function isObject(value: unknown): value is JsonFacts {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
