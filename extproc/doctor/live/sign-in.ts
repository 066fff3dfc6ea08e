import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Setting } from '../setting.ts';

/** A key of the doctor's own, in the place of the keys of the identity providers. */
export type SignIn = {
  /** The key set as `local_jwks` takes it. */
  jwks: string;
  /** The header, and its value, with which a provider's token is presented. */
  credential(provider: Setting): Promise<[name: string, value: string]>;
};

const algorithm = 'RS256';
const keyId = 'doctor';

export async function createSignIn(): Promise<SignIn> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm);
  const key = { ...(await exportJWK(publicKey)), kid: keyId, use: 'sig', alg: algorithm };
  return {
    jwks: JSON.stringify({ keys: [key] }),
    async credential(provider) {
      const token = await new SignJWT({})
        .setProtectedHeader({ alg: algorithm, kid: keyId })
        .setIssuer(provider.at('issuer').text)
        .setAudience(provider.at('audiences').texts)
        .setSubject('skilltape doctor')
        .setIssuedAt()
        .setExpirationTime('10m')
        .sign(privateKey);
      const from = provider.at('from_headers', 0);
      if (!from.isWritten) return ['authorization', `Bearer ${token}`];
      return [from.at('name').text.toLowerCase(), `${from.at('value_prefix').text}${token}`];
    },
  };
}
