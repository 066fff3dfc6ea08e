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
      reason: `${path.join('.')}: ${inWords(message)}${path.at(-1) === 'scopes' ? neverLinked(names) : ''}`,
    }));
  });
}

const kinds: Readonly<Record<string, string>> = {
  ...{ array: 'a list', object: 'an object', record: 'an object', string: 'a text', number: 'a number' },
  ...{ int: 'a whole number', boolean: 'true or false' },
};

/** What zod says, in the words of whoever edits lists. */
function inWords(message: string): string {
  const [, expected = '', received] = /^Invalid input: expected (\w+), received (\w+)$/.exec(message) ?? [];
  const kind = kinds[expected];
  if (kind !== undefined) return received === 'undefined' ? `is missing: it must be ${kind}` : `must be ${kind}`;
  return message.replace(/^Invalid option: expected one of /, 'must be one of ').replaceAll('"|"', '", "');
}

function neverLinked({ hashed }: TypeNames): string {
  return ` (one of ${hashed.join(', ')}: types with few values are never linked)`;
}

/** What is wrong in the list of detectors itself is told by its own check. */
function namesIn(detectors: unknown): TypeNames {
  return detectors === undefined ? builtInTypeNames : typeNamesWith(readDetectors(detectors).list);
}
