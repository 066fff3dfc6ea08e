import { z } from 'zod';

/** Keys of `skilltape.yaml` that are quantities, paths or URLs. */
export const MiB = 1024 * 1024;
export const GiB = 1024 * MiB;

/** At most 2^50, so that sums of limits stay exact integers. */
const maxBytes = 2 ** 50;

export function bytes(minimum: number, byDefault: number, description: string) {
  return z.int().min(minimum).max(maxBytes).default(byDefault).meta({ description, unit: 'bytes' });
}

export function milliseconds(minimum: number, maximum: number, byDefault: number, description: string) {
  return z.int().min(minimum).max(maximum).default(byDefault).meta({ description, unit: 'milliseconds' });
}

export function path(description: string) {
  return z
    .string()
    .min(1)
    .max(4096)
    .refine((text) => !text.includes('\0'), 'must not contain a NUL character')
    .meta({ description, unit: 'path' });
}

export const baseUrlRule =
  'must be an https URL without query, fragment or user; http only for localhost, 127.x.x.x and [::1]';

/** An https URL without query or fragment (OIDC Discovery 1.0 section 3). Plain http never leaves this machine. */
export function isBaseUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (text.includes('?') || text.includes('#') || url.username !== '' || url.password !== '') return false;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
}
