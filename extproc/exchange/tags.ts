import { tagNamePattern } from '../policy/input-bounds.ts';
import type { HeaderList } from './headers.ts';
import { joinedValue } from './headers.ts';

/** `project=apollo, cost-center=4711`. It goes on to the upstream like any header that is no credential. */
export const tagsHeader = 'x-gateway-tags';

/** Tags and characters of one request that are read (inv. 10); a header beyond them has none. */
const tagsMax = 16;
const headerMaxChars = 2_048;
const tagValue = /^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,63}$/;

/**
 * What a caller says of its request: a claim, and no identity. All or nothing: a header in which anything is of another
 * form, or in which a name comes twice, says nothing, so that two readers cannot find different tags in it.
 */
export function tagsOf(headers: HeaderList): Record<string, string> {
  const header = joinedValue(headers, tagsHeader);
  if (header === '' || header.length > headerMaxChars) return {};
  const parts = header.split(',');
  if (parts.length > tagsMax) return {};
  const tags = new Map<string, string>();
  for (const part of parts) {
    const [name = '', value = '', ...rest] = part.trim().split('=');
    if (rest.length > 0 || tags.has(name) || !tagNamePattern.test(name) || !tagValue.test(value)) return {};
    tags.set(name, value);
  }
  return Object.fromEntries(tags);
}
