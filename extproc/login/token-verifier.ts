/** Verifies tokens of people where no Envoy stands before us, by the keys that their provider publishes. */
import {
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyResult,
  jwtVerify,
} from 'jose';
import { Agent, fetch } from 'undici';

/** `jwksUri` null: where the provider says that its keys are (OIDC Discovery). */
export type TokenIssuer = { issuer: string; audiences: readonly string[]; jwksUri: string | null };

/** `why` is for people, without a full stop, and holds no word of the token. */
export type TokenAnswer<I extends TokenIssuer> =
  | { kind: 'verified'; issuer: I; claims: JWTPayload; header: JWTVerifyResult['protectedHeader'] }
  | { kind: 'refused'; why: string }
  | { kind: 'unreachable' };

/** Those with a public key: one that is shared with whoever verifies could be made by them. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const tokenMaxChars = 16_384;
const fetchTimeoutMs = 5_000;
const clockToleranceSeconds = 30;

export class TokenVerifier<I extends TokenIssuer> {
  readonly #issuers: readonly I[];
  readonly #dispatcher: Agent;
  readonly #keys = new Map<string, Promise<JWTVerifyGetKey>>();

  /** @param ca authorities that may vouch for the providers, PEM; null: those of the system */
  constructor(issuers: readonly I[], ca: string | null) {
    this.#issuers = issuers;
    this.#dispatcher = new Agent({ connect: ca === null ? {} : { ca } });
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  /** Signed by its issuer, for one of its audiences, and good now. */
  async verify(token: string): Promise<TokenAnswer<I>> {
    const named = issuerIn(token);
    const issuer = this.#issuers.find((one) => one.issuer === named);
    if (issuer === undefined) return { kind: 'refused', why: 'it is of no issuer whose tokens count here' };
    try {
      const { payload, protectedHeader } = await jwtVerify(token, await this.#keysOf(issuer), {
        ...{ issuer: issuer.issuer, audience: [...issuer.audiences], algorithms },
        ...{ clockTolerance: clockToleranceSeconds, requiredClaims: ['exp'] },
      });
      return { kind: 'verified', issuer, claims: payload, header: protectedHeader };
    } catch (thrown) {
      return answerTo(thrown);
    }
  }

  #keysOf({ issuer, jwksUri }: I): Promise<JWTVerifyGetKey> {
    const known = this.#keys.get(issuer);
    if (known !== undefined) return known;
    const opened = this.#openKeys(issuer, jwksUri);
    this.#keys.set(issuer, opened);
    opened.catch(() => this.#keys.delete(issuer));
    return opened;
  }

  async #openKeys(issuer: string, jwksUri: string | null): Promise<JWTVerifyGetKey> {
    const options = { [customFetch]: this.#fetch, timeoutDuration: fetchTimeoutMs };
    return createRemoteJWKSet(new URL(jwksUri ?? (await this.#discovered(issuer))), options);
  }

  async #discovered(issuer: string): Promise<string> {
    const place = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const response = await this.#fetch(place, { signal: AbortSignal.timeout(fetchTimeoutMs) });
    const { jwks_uri: jwksUri } = (await response.json()) as { jwks_uri?: unknown };
    if (typeof jwksUri === 'string') return jwksUri;
    throw new Error('the provider names no keys');
  }

  readonly #fetch = ((url: string, init: object) =>
    fetch(url, { ...init, dispatcher: this.#dispatcher } as never)) as unknown as typeof globalThis.fetch;
}

/** Not verified: it says only by whose keys to verify. Null for what is no token. */
export function issuerIn(token: string): string | null {
  if (token.length > tokenMaxChars) return null;
  try {
    return decodeJwt(token).iss ?? null;
  } catch {
    return null;
  }
}

/** What is wrong with a token is told; it holds no word of the token. */
function answerTo(thrown: unknown): Exclude<TokenAnswer<TokenIssuer>, { kind: 'verified' }> {
  if (thrown instanceof errors.JWTExpired) return { kind: 'refused', why: 'it has ended' };
  if (thrown instanceof errors.JWTClaimValidationFailed)
    return { kind: 'refused', why: `its claim ${thrown.claim} does not fit` };
  // jose's own word for a provider that answers otherwise than with keys.
  if (thrown instanceof errors.JWKSTimeout || (thrown as { code?: unknown }).code === 'ERR_JOSE_GENERIC')
    return { kind: 'unreachable' };
  return thrown instanceof errors.JOSEError
    ? { kind: 'refused', why: 'it cannot be verified' }
    : { kind: 'unreachable' };
}
