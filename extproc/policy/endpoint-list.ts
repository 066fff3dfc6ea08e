/** Finds entries of `lists/endpoints/data.json` that stand for no endpoint: a misspelt one would open nothing. */
import { endpointNames } from '../claude/endpoint.ts';
import type { LayoutFault } from './layout.ts';

const path = 'lists/endpoints/data.json';

/** `document` is the content of the list; undefined when the policies have none. */
export function endpointListFaults(document: unknown): LayoutFault[] {
  if (typeof document !== 'object' || document === null) return [];
  const faults: LayoutFault[] = [];
  for (const [list, entries] of Object.entries(document)) {
    for (const [place, entry] of (Array.isArray(entries) ? entries : []).entries()) {
      if (typeof entry === 'string' && !standsForEndpoint(entry)) {
        const reason = `${list} names no endpoint: ${JSON.stringify(entry)}`;
        faults.push({ path, line: 1, reason, at: [list, place] });
      }
    }
  }
  return faults;
}

function standsForEndpoint(entry: string): boolean {
  if (!entry.endsWith('.*')) return endpointNames.includes(entry);
  const family = entry.slice(0, -1);
  return endpointNames.some((name) => name.startsWith(family));
}
