import { existsSync, readFileSync } from 'node:fs';
import * as jose from 'jose';
import { Agent, fetch } from 'undici';
import { SkilltapeError } from '../errors.ts';

/** A provider whose tokens count, as the configuration has it. */
export type TrustedProvider = {
  issuer: string;
  audiences: readonly string[];
  jwksUri?: string | undefined;
  caFile?: string | undefined;
};

/** Asymmetric alone: whoever knows a public key must not be able to sign with it. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const tokenMaxChars = 16_384;
const fetchTimeoutMs = 10_000;

/**
 * The claims of a token as the gateway would take it: signed by its provider, for this gateway, good now.
 * @throws SkilltapeError `usage`: it is not; no word of the token is in the error
 */
export async function verifiedClaims<P extends TrustedProvider>(
  token: string,
  providers: readonly P[],
): Promise<{ provider: P; claims: jose.JWTPayload }> {
  const provider = providers.find(({ issuer }) => issuer === issuerIn(token));
  if (provider === undefined) throw refused('no identity provider of the configuration gave it');
  if (provider.jwksUri === undefined) {
    throw new SkilltapeError('usage', `the keys of ${provider.issuer} are not known`, {
      remedy: 'set jwksUri of the identity provider in skilltape.yaml',
    });
  }
  const ca = provider.caFile !== undefined && existsSync(provider.caFile) ? readFileSync(provider.caFile) : undefined;
  const dispatcher = new Agent({ connect: ca === undefined ? {} : { ca } });
  try {
    const keys = jose.createRemoteJWKSet(new URL(provider.jwksUri), {
      timeoutDuration: fetchTimeoutMs,
      [jose.customFetch]: (url, options) => fetch(url, { ...options, dispatcher } as never) as never,
    });
    const wanted = { issuer: provider.issuer, audience: [...provider.audiences], algorithms, requiredClaims: ['exp'] };
    const { payload } = await jose.jwtVerify(token, keys, wanted);
    return { provider, claims: payload };
  } catch (thrown) {
    // The codes of the library are a closed set; its messages may name claims.
    throw refused(thrown instanceof jose.errors.JOSEError ? thrown.code : 'the keys of its provider cannot be fetched');
  } finally {
    await dispatcher.close();
  }
}

function issuerIn(token: string): string | undefined {
  if (token.length > tokenMaxChars) throw refused('it is too long');
  try {
    return jose.decodeJwt(token).iss;
  } catch {
    throw refused('it is no token');
  }
}

function refused(why: string): SkilltapeError {
  return new SkilltapeError('usage', `your token was refused: ${why}`, {
    remedy: 'log in with skilltape token login, or give a token with --token-file',
  });
}
