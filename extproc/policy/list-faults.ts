/** Finds what is wrong in the lists that a schema describes, all of it at once: a misspelt entry would do nothing. */
import type { z } from 'zod';
import { readDetectors } from './detectors-list.ts';
import { findingsListFor } from './findings-list.ts';
import type { LayoutFault } from './layout.ts';
import { listSchemas } from './list-schemas.ts';
import { maskingListFor } from './masking-decision.ts';
import { builtInTypeNames, type TypeNames, typeNamesWith } from './type-name.ts';

/** `data` is the content of data.json files by folder. */
export function listSchemaFaults(data: ReadonlyMap<string, unknown>): LayoutFault[] {
  const names = namesIn(data.get('lists/detectors'));
  const schemas = { ...listSchemas, findings: findingsListFor(names), masking: maskingListFor(names) };
  return Object.entries<z.ZodType>(schemas).flatMap(([name, schema]) => {
    const folder = `lists/${name}`;
    if (!data.has(folder)) return [];
    const { error } = schema.safeParse(data.get(folder));
    return (error?.issues ?? []).map(({ path, message }) => ({
      path: `${folder}/data.json`,
      line: 1,
      at: path,
      reason: `${path.join('.')}: ${message}${path.at(-1) === 'scopes' ? neverLinked(names) : ''}`,
    }));
  });
}

function neverLinked({ hashed }: TypeNames): string {
  return ` (one of ${hashed.join(', ')}: types with few values are never linked)`;
}

/** What is wrong in the list of detectors itself is told by its own check. */
function namesIn(detectors: unknown): TypeNames {
  return detectors === undefined ? builtInTypeNames : typeNamesWith(readDetectors(detectors).list);
}
