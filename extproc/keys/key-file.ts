/** What the files of the keys have in common: JSON with binary fields, read strictly, and faults with a remedy. */
import { z } from 'zod';
import { SkilltapeError } from '../errors.ts';

/** A field of so many bytes in base64url. */
export function binary(bytes: number) {
  return z
    .base64url()
    .transform((text) => Buffer.from(text, 'base64url'))
    .refine(({ length }) => length === bytes, `must be ${bytes} bytes`);
}

/** A field of so many bytes in hex digits. */
export function hex(bytes: number) {
  return z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `must be ${2 * bytes} hex digits`);
}

/** Undefined for what is not JSON. */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

export function invalid(message: string, remedy: string): SkilltapeError {
  return new SkilltapeError('key_invalid', message, { remedy });
}

/** A key that others may read is none. @throws SkilltapeError `key_invalid` */
export function checkOwnersAlone(path: string, mode: number, what: string, more = ''): void {
  if ((mode & ~0o600) === 0) return;
  const shown = mode.toString(8).padStart(3, '0');
  throw invalid(`${what} ${path} has mode ${shown}, wider than 600`, `chmod 600 ${path}${more}`);
}
