import { httpNameFinder, type NameFinderOptions } from '../ship/http-name-finder.ts';
import type { NameFinder } from '../ship/name-finder.ts';

/** The finder of names that shipping has, for masking again what was shipped. */
export function nameFinderOf(options: NameFinderOptions | undefined): NameFinder | null {
  return options === undefined ? null : httpNameFinder(options);
}
