/** Who calls the API with a token: verified as Envoy verifies those of requests, and mapped by the same claims. */
import {
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { Agent, fetch } from 'undici';
import type { Identity, IdentityProvider } from '../exchange/identity.ts';
import { identityOf } from '../exchange/identity.ts';

/**
 * @property providers by issuer; those of workloads are none: it is people who decide
 * @property ca authorities that may vouch for them, PEM; null: those of the system
 */
export type BearerSettings = {
  providers: readonly { provider: IdentityProvider; jwksUri: string | null }[];
  audiences: readonly string[];
  ca: string | null;
};

export type BearerAnswer =
  | { kind: 'person'; identity: Identity; authenticatedMs: number | null }
  | { kind: 'refused'; why: string }
  | { kind: 'unreachable'; why: string };

export type Bearer = { verify(token: string): Promise<BearerAnswer>; close(): Promise<void> };

/** Those with a public key: one that is shared with whoever verifies could be made by them. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const tokenMaxChars = 16_384;
const timeoutMs = 5_000;
const clockToleranceSeconds = 30;

export function bearerOf({ providers, audiences, ca }: BearerSettings): Bearer {
  const dispatcher = new Agent({ connect: ca === null ? {} : { ca } });
  const ownFetch = ((url: string, init: object) => fetch(url, { ...init, dispatcher } as never)) as never;
  const keys = new Map<string, Promise<JWTVerifyGetKey>>();
  const keysOf = (issuer: string, jwksUri: string | null): Promise<JWTVerifyGetKey> => {
    const known = keys.get(issuer);
    if (known !== undefined) return known;
    const opened = openKeys(issuer, jwksUri, ownFetch);
    keys.set(issuer, opened);
    opened.catch(() => keys.delete(issuer));
    return opened;
  };
  return {
    close: () => dispatcher.destroy(),
    async verify(token) {
      if (audiences.length === 0) return refused('This API takes no tokens.');
      const issuer = issuerOf(token);
      const found = providers.find(({ provider }) => provider.issuer === issuer);
      if (found === undefined) return refused('The token is of no issuer whose tokens count here.');
      try {
        const { payload, protectedHeader } = await jwtVerify(
          token,
          await keysOf(found.provider.issuer, found.jwksUri),
          {
            issuer: found.provider.issuer,
            audience: [...audiences],
            algorithms,
            clockTolerance: clockToleranceSeconds,
            requiredClaims: ['exp'],
          },
        );
        if (isOfLogin(payload, protectedHeader))
          return refused('The token is the ID token of a login, and none for an API.');
        const who = identityOf({ ...payload }, found.provider);
        if (who.kind === 'failed') return refused(who.detail);
        const { auth_time: authTime } = payload;
        const authenticatedMs = typeof authTime === 'number' ? authTime * 1_000 : null;
        return { kind: 'person', identity: who.identity, authenticatedMs };
      } catch (thrown) {
        return answerTo(thrown);
      }
    },
  };
}

/**
 * An ID token says that somebody logged in. Ours go to the provider in the URL of a logout (OIDC RP-Initiated Logout), and
 * from there to histories and logs; where `apiAudiences` has the client of the console, one would decide until it ends.
 * Each login of ours has a nonce; a token whose type says that it is for access may have one too (RFC 9068 section 2.1, and
 * `Bearer` where a provider names types in a claim).
 */
function isOfLogin({ nonce, typ: kind }: JWTPayload, { typ = '' }: { typ?: string | undefined }): boolean {
  const isForAccess = kind === 'Bearer' || /^(application\/)?at\+jwt$/i.test(typ);
  return kind === 'ID' || (nonce !== undefined && !isForAccess);
}

/** Not verified: it says only by whose keys to verify. */
function issuerOf(token: string): string | null {
  if (token.length > tokenMaxChars) return null;
  try {
    return decodeJwt(token).iss ?? null;
  } catch {
    return null;
  }
}

async function openKeys(issuer: string, jwksUri: string | null, ownFetch: never): Promise<JWTVerifyGetKey> {
  const options = { [customFetch]: ownFetch, timeoutDuration: timeoutMs };
  return createRemoteJWKSet(new URL(jwksUri ?? (await discovered(issuer, ownFetch))), options);
}

async function discovered(issuer: string, ownFetch: typeof globalThis.fetch): Promise<string> {
  const place = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await ownFetch(place, { signal: AbortSignal.timeout(timeoutMs) });
  const { jwks_uri: jwksUri } = (await response.json()) as { jwks_uri?: unknown };
  if (typeof jwksUri === 'string') return jwksUri;
  throw new Error('the provider names no keys');
}

/** What is wrong with a token is told; it holds no word of the token. */
function answerTo(thrown: unknown): BearerAnswer {
  if (thrown instanceof errors.JWTExpired) return refused('The token has ended.');
  if (thrown instanceof errors.JWTClaimValidationFailed)
    return refused(`The claim ${thrown.claim} of the token does not fit.`);
  // jose's own word for a provider that answers otherwise than with keys.
  if (thrown instanceof errors.JWKSTimeout || (thrown as { code?: unknown }).code === 'ERR_JOSE_GENERIC')
    return unreachable;
  if (thrown instanceof errors.JOSEError) return refused('The token cannot be verified.');
  return unreachable;
}

const unreachable: BearerAnswer = {
  kind: 'unreachable',
  why: 'The keys of the issuer cannot be had, so no token can be verified.',
};

function refused(why: string): BearerAnswer {
  return { kind: 'refused', why };
}
