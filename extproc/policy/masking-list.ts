/** Finds what is wrong in `lists/masking/data.json`, all of it at once: a misspelt entry would mask in another way. */
import type { LayoutFault } from './layout.ts';
import { hashedTypes, maskingList } from './masking-decision.ts';

const path = 'lists/masking/data.json';

/** `document` is the content of the list; undefined when the policies have none. */
export function maskingListFaults(document: unknown): LayoutFault[] {
  if (document === undefined) return [];
  const { error } = maskingList.safeParse(document);
  return (error?.issues ?? []).map((issue) => ({
    path,
    line: 1,
    reason: `${issue.path.join('.')}: ${issue.message}${inScopes(issue.path) ? neverLinked : ''}`,
  }));
}

const neverLinked = ` (one of ${hashedTypes.join(', ')}: types with few values are never linked)`;

function inScopes(path: readonly PropertyKey[]): boolean {
  return path.at(-1) === 'scopes';
}
