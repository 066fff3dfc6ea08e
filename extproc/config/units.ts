import { z } from 'zod';

/** Keys of `skilltape.yaml` that are quantities or paths. */
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
