/** Finds what is wrong in the lists that a schema describes, all of it at once: a misspelt entry would do nothing. */
import type { z } from 'zod';
import type { LayoutFault } from './layout.ts';
import { listSchemas } from './list-schemas.ts';
import { hashedTypes } from './masking-decision.ts';

/** `data` is the content of data.json files by folder. */
export function listSchemaFaults(data: ReadonlyMap<string, unknown>): LayoutFault[] {
  return Object.entries<z.ZodType>(listSchemas).flatMap(([name, schema]) => {
    const folder = `lists/${name}`;
    if (!data.has(folder)) return [];
    const { error } = schema.safeParse(data.get(folder));
    return (error?.issues ?? []).map(({ path, message }) => ({
      path: `${folder}/data.json`,
      line: 1,
      at: path,
      reason: `${path.join('.')}: ${message}${path.at(-1) === 'scopes' ? neverLinked : ''}`,
    }));
  });
}

const neverLinked = ` (one of ${hashedTypes.join(', ')}: types with few values are never linked)`;
