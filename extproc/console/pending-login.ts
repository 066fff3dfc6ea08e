/**
 * What has to be known when the identity provider sends somebody back. It is kept by the browser itself, sealed, so that
 * nobody who only asks for logins can fill our memory.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { z } from 'zod';

const pendingLogin = z.strictObject({
  state: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  /** The page that was asked for. */
  returnTo: z.string(),
  endsMs: z.number(),
});

export type PendingLogin = z.infer<typeof pendingLogin>;

/** Longest time that somebody may take at the identity provider. */
export const pendingLoginMaxMs = 10 * 60_000;

const nonceBytes = 12;
const tagBytes = 16;

export class PendingLogins {
  /** Of this process: what another one or an earlier one sealed is another's. */
  readonly #key = randomBytes(32);
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  seal(login: Omit<PendingLogin, 'endsMs'>): string {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    const text = JSON.stringify({ ...login, endsMs: this.#now() + pendingLoginMaxMs });
    return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
      'base64url',
    );
  }

  /** Null for what was not sealed here, or has ended. */
  open(sealed: string | undefined): PendingLogin | null {
    const bytes = Buffer.from(sealed ?? '', 'base64url');
    if (bytes.length <= nonceBytes + tagBytes) return null;
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, nonceBytes));
      decipher.setAuthTag(bytes.subarray(-tagBytes));
      const text = decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8');
      const login = pendingLogin.parse(JSON.parse(text));
      return login.endsMs > this.#now() ? login : null;
    } catch {
      return null;
    }
  }
}
