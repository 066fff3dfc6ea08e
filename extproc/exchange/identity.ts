import type { JsonFacts } from './frame.ts';
import type { HeaderList } from './headers.ts';

/** Whom a provider's tokens stand for. A workload is a program that calls by itself: CI, a service. */
export type IdentityKind = 'person' | 'workload';

/** Who called: the verified token's issuer and subject, with what the provider's claims add. */
export type Identity = {
  issuer: string;
  subject: string;
  /** Absent in records of earlier versions, which knew people alone. */
  kind?: IdentityKind;
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
  kind: IdentityKind;
  claims: ClaimPaths;
};

const jwtFilter = 'envoy.filters.http.jwt_authn';
const rbacFilter = 'envoy.filters.http.rbac';
/** As `envoy/envoy.yaml` names them; Envoy says the first that a request meets. */
const twoCredentialsPolicies = new Set<unknown>(['two_credentials', 'two_credentials_in_one_header']);
const payloadKey = /^payload_(.+)$/s;
const failureKey = /^failed_/;

/** What of a request says who called. */
export type PresentedCredentials = {
  /** Envoy's own, which no caller can set. */
  metadata: Record<string, JsonFacts>;
  query: Readonly<Record<string, string>>;
  headers: HeaderList;
};

/**
 * The identity that Envoy verified, from its own metadata and never from a header (inv. 5). Verified means: there is one
 * payload, it is of one of the route's providers, and no failure of any provider stands beside it. Absence of a failure
 * proves nothing, and two payloads, or one beside a failure, can be two people's tokens.
 */
export function authenticationOf(
  { metadata, query, headers }: PresentedCredentials,
  providers: readonly IdentityProvider[],
): Authentication {
  // RFC 6750 section 2.3. The path goes upstream as it is, so the token would leave the house with it.
  if (Object.hasOwn(query, 'access_token')) return failed('failed', 'A token in the query of the URL is not taken');
  if (twoCredentialsPolicies.has(metadata[rbacFilter]?.shadow_effective_policy_id)) return twoCredentials;
  const jwt = metadata[jwtFilter] ?? {};
  const keys = Object.keys(jwt);
  const failure = keys.find((key) => failureKey.test(key));
  if (failure !== undefined) return failureOf(jwt[failure]);
  const payloads = keys.filter((key) => payloadKey.test(key) && isObject(jwt[key]));
  if (payloads.length > 1) return twoCredentials;
  const [payload] = payloads;
  // With several providers Envoy says nothing of a token that is none of theirs. It leaves it where it was.
  if (payload === undefined) {
    const isPresented = headers.some(([name, value]) => isTokenHeader(name) && value !== '');
    return isPresented
      ? failed('failed', 'It is no token that could be verified')
      : failed('missing', 'No token was presented');
  }
  const claims = jwt[payload];
  const provider = providers.find(({ name }) => `payload_${name}` === payload);
  if (provider === undefined || !isObject(claims) || claims.iss !== provider.issuer) {
    return failed('wrong_issuer', 'The token is of another issuer');
  }
  return identityOf(claims, provider);
}

const twoCredentials = failed('two_credentials', 'The request has both an authorization and an x-api-key header');

function isTokenHeader(name: string): boolean {
  return name === 'authorization' || name === 'x-api-key';
}

function failureOf(failure: unknown): Authentication {
  const reason = (isObject(failure) && text(failure.message)) || 'the token was refused';
  return reason === 'Jwt is missing' ? failed('missing', reason) : failed('failed', reason);
}

/** Of the claims of a token that was verified. */
export function identityOf(payload: JsonFacts, { issuer, kind, claims }: IdentityProvider): Authentication {
  const subject = text(claim(payload, claims.subject));
  if (subject === '') return failed('failed', `The token has no ${claims.subject} claim`);
  const groups = groupsOf(payload, claims.groups);
  if (groups === null) return failed('failed', `The groups of the token (${claims.groups}) cannot be read from it`);
  return {
    kind: 'verified',
    identity: {
      issuer,
      subject,
      kind,
      name: text(claim(payload, claims.name)),
      email: text(claim(payload, claims.email)),
      groups,
    },
  };
}

/**
 * Nobody must pass for one without groups who is in some, as a list of whom to refuse may name them: null where they have a
 * form that is not known, or are too many for the token and kept elsewhere (OpenID Connect Core 1.0, section 5.6.2). Some
 * providers write the one group of somebody as a text.
 */
function groupsOf(payload: JsonFacts, path: string): string[] | null {
  const value = claim(payload, path) ?? [];
  const groups: unknown[] = Array.isArray(value) ? value : [value];
  if (groups.length === 0 && isElsewhere(payload, path)) return null;
  return groups.every((group) => typeof group === 'string') ? groups.filter((group) => group !== '') : null;
}

function isElsewhere({ _claim_names: elsewhere }: JsonFacts, path: string): boolean {
  const names = [path, path.split('.')[0] ?? path];
  return isObject(elsewhere) && names.some((name) => Object.hasOwn(elsewhere, name));
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
