/** Signs access tokens outside the protocol: with other claims than the endpoint would give, or wrong in one point. */
import { randomUUID } from 'node:crypto';
import {
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  importJWK,
  type JWK,
  SignJWT,
  UnsecuredJWT,
} from 'jose';

export const FORGERIES = [
  'expired',
  'wrong_key',
  'wrong_issuer',
  'wrong_audience',
  'alg_none',
  'not_yet_valid',
  'hs256_with_public_key',
  'unknown_key_id',
  'spliced',
] as const;
export type Forgery = (typeof FORGERIES)[number];

export type SigningKey = { readonly privateKey: CryptoKey; readonly jwk: JWK; readonly keyId: string };

/** Issued and expiry times are set here; everything else is the caller's. */
export type TokenClaims = Readonly<Record<string, unknown>> & { readonly iss: string; readonly aud: string };

const ALGORITHM = 'RS256';
/** Far beyond any tolerance for clocks. */
const FAR_SECONDS = 86_400;
const HOUR_SECONDS = 3_600;

export async function createSigningKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const keyId = randomUUID();
  return { privateKey, keyId, jwk: { ...(await exportJWK(privateKey)), kid: keyId, use: 'sig', alg: ALGORITHM } };
}

/** A token of the same shape as the endpoint's. A negative lifetime gives one that ended in the past. */
export async function signToken(
  key: Pick<SigningKey, 'privateKey' | 'keyId'>,
  claims: TokenClaims,
  expiresInSeconds: number,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const issuedAt = expiresInSeconds < 0 ? now + expiresInSeconds - HOUR_SECONDS : now;
  return new SignJWT({ iat: issuedAt, jti: randomUUID(), ...claims, exp: now + expiresInSeconds })
    .setProtectedHeader({ alg: ALGORITHM, typ: 'at+jwt', kid: key.keyId })
    .sign(key.privateKey);
}

/** A token that is right in all points but the one named. */
export async function forgeToken(
  key: SigningKey,
  claims: TokenClaims,
  kind: Forgery,
  ttlSeconds: number,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  switch (kind) {
    case 'expired':
      return signToken(key, claims, -FAR_SECONDS);
    case 'wrong_key': {
      const { privateKey } = await generateKeyPair(ALGORITHM);
      return signToken({ privateKey, keyId: key.keyId }, claims, ttlSeconds);
    }
    case 'wrong_issuer':
      return signToken(key, { ...claims, iss: 'https://issuer.invalid' }, ttlSeconds);
    case 'wrong_audience':
      return signToken(key, { ...claims, aud: 'urn:audience:somebody-else' }, ttlSeconds);
    case 'alg_none':
      return new UnsecuredJWT({ ...claims, iat: now, jti: randomUUID(), exp: now + ttlSeconds }).encode();
    case 'not_yet_valid':
      return signToken(key, { ...claims, nbf: now + FAR_SECONDS }, 2 * FAR_SECONDS);
    case 'hs256_with_public_key':
      return signWithPublicKey(key, { ...claims, iat: now, jti: randomUUID(), exp: now + ttlSeconds });
    case 'unknown_key_id':
      return signToken({ ...key, keyId: randomUUID() }, claims, ttlSeconds);
    case 'spliced': {
      const [header, body] = (await signToken(key, claims, ttlSeconds)).split('.');
      const [, , signature] = (await signToken(key, { ...claims, sub: 'somebody-else' }, ttlSeconds)).split('.');
      return [header, body, signature].join('.');
    }
  }
}

/** The old trick: a verifier that goes by the token's algorithm takes the public key, which all know, for a secret. */
async function signWithPublicKey({ jwk, keyId }: SigningKey, claims: Record<string, unknown>): Promise<string> {
  const { kty, n, e } = jwk;
  const publicKey = await importJWK({ kty, n, e } as JWK, ALGORITHM, { extractable: true });
  const secret = new TextEncoder().encode(await exportSPKI(publicKey as CryptoKey));
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: keyId }).sign(secret);
}
