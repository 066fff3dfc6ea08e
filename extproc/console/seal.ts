/** What somebody else keeps for us and can neither read nor change: AES-256-GCM under a key of this process. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const nonceBytes = 12;
const tagBytes = 16;
/** Longer than anything that is sealed here. */
const sealedMaxChars = 4_096;

export class Seal {
  /** Of this process: what another one or an earlier one sealed is another's. */
  readonly #key = randomBytes(32);

  /** @param purpose what it is good for, and for whom: nothing opens it for another */
  close(text: string, purpose: string): string {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(purpose));
    const sealed = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
    return Buffer.concat(sealed).toString('base64url');
  }

  /** Null for what was not sealed here for that purpose. */
  open(sealed: string, purpose: string): string | null {
    if (sealed.length > sealedMaxChars) return null;
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes.length <= nonceBytes + tagBytes) return null;
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, nonceBytes));
      decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(-tagBytes));
      return decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      return null;
    }
  }
}
