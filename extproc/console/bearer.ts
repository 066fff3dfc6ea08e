/** Who calls the API with a token: verified as Envoy verifies those of requests, and mapped by the same claims. */
import type { JWTPayload } from 'jose';
import type { Identity, IdentityProvider } from '../exchange/identity.ts';
import { identityOf } from '../exchange/identity.ts';
import { TokenVerifier } from '../login/token-verifier.ts';

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

export function bearerOf({ providers, audiences, ca }: BearerSettings): Bearer {
  const issuers = providers.map(({ provider, jwksUri }) => ({
    ...{ provider, issuer: provider.issuer, audiences, jwksUri },
  }));
  const verifier = new TokenVerifier(issuers, ca);
  return {
    close: () => verifier.close(),
    async verify(token) {
      if (audiences.length === 0) return refused('This API takes no tokens.');
      const answer = await verifier.verify(token);
      if (answer.kind === 'unreachable') return unreachable;
      if (answer.kind === 'refused') return refused(`The token was refused: ${answer.why}.`);
      const { claims, header, issuer } = answer;
      if (isOfLogin(claims, header)) return refused('The token is the ID token of a login, and none for an API.');
      const who = identityOf({ ...claims }, issuer.provider);
      if (who.kind === 'failed') return refused(who.detail);
      const { auth_time: authTime } = claims;
      const authenticatedMs = typeof authTime === 'number' ? authTime * 1_000 : null;
      return { kind: 'person', identity: who.identity, authenticatedMs };
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

const unreachable: BearerAnswer = {
  kind: 'unreachable',
  why: 'The keys of the issuer cannot be had, so no token can be verified.',
};

function refused(why: string): BearerAnswer {
  return { kind: 'refused', why };
}
