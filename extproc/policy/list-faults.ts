/** Finds what is wrong in the lists that a schema describes, all of it at once: a misspelt entry would do nothing. */
import type { z } from 'zod';
import { approvalTerms } from './approval-list.ts';
import { consoleList } from './console.ts';
import { findingsList } from './findings-list.ts';
import type { LayoutFault } from './layout.ts';
import { hashedTypes, maskingList } from './masking-decision.ts';

const schemas: Readonly<Record<string, z.ZodType>> = {
  'lists/approval': approvalTerms,
  'lists/console': consoleList,
  'lists/findings': findingsList,
  'lists/masking': maskingList,
};

/** `data` is the content of data.json files by folder. */
export function listSchemaFaults(data: ReadonlyMap<string, unknown>): LayoutFault[] {
  return Object.entries(schemas).flatMap(([folder, schema]) => {
    if (!data.has(folder)) return [];
    const { error } = schema.safeParse(data.get(folder));
    return (error?.issues ?? []).map(({ path, message }) => ({
      path: `${folder}/data.json`,
      line: 1,
      reason: `${path.join('.')}: ${message}${path.at(-1) === 'scopes' ? neverLinked : ''}`,
    }));
  });
}

const neverLinked = ` (one of ${hashedTypes.join(', ')}: types with few values are never linked)`;
