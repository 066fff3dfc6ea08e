import { existsSync, readFileSync } from 'node:fs';
import type { JWTPayload } from 'jose';
import { SkilltapeError } from '../errors.ts';
import { issuerIn, TokenVerifier } from './token-verifier.ts';

/** A provider whose tokens count, as the configuration has it. */
export type TrustedProvider = {
  issuer: string;
  audiences: readonly string[];
  jwksUri?: string | undefined;
  caFile?: string | undefined;
};

/**
 * The claims of a token as the gateway would take it: signed by its provider, for this gateway, good now.
 * @throws SkilltapeError `usage`: it is not; no word of the token is in the error
 */
export async function verifiedClaims<P extends TrustedProvider>(
  token: string,
  providers: readonly P[],
): Promise<{ provider: P; claims: JWTPayload }> {
  const named = issuerIn(token);
  const provider = providers.find(({ issuer }) => issuer === named);
  if (provider === undefined) throw refused('no identity provider of the configuration gave it');
  const { caFile, issuer, audiences, jwksUri = null } = provider;
  const ca = caFile !== undefined && existsSync(caFile) ? readFileSync(caFile, 'utf8') : null;
  const verifier = new TokenVerifier([{ issuer, audiences, jwksUri }], ca);
  try {
    const answer = await verifier.verify(token);
    if (answer.kind === 'verified') return { provider, claims: answer.claims };
    throw refused(answer.kind === 'refused' ? answer.why : `the keys of ${issuer} cannot be fetched`);
  } finally {
    await verifier.close();
  }
}

function refused(why: string): SkilltapeError {
  return new SkilltapeError('usage', `your token was refused: ${why}`, {
    remedy: 'log in with skilltape token login, or give a token with --token-file',
  });
}
