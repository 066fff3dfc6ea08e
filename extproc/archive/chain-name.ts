/**
 * Names of chains. Of each retention class there are two: its exchanges, and what is left of them when the days of their
 * content are over. Headers, signed lines and folders have the name in the place of the class.
 */

/** With a dot, which no retention class has. */
const metadataEnd = '.metadata';

export const chainPattern = /^[a-z][a-z0-9_-]{0,31}(\.metadata)?$/;

export function metadataChainOf(retentionClass: string): string {
  return `${retentionClass}${metadataEnd}`;
}

export function isOfMetadata(chain: string): boolean {
  return chain.endsWith(metadataEnd);
}

/** The retention class whose chain it is. */
export function classOfChain(chain: string): string {
  return isOfMetadata(chain) ? chain.slice(0, -metadataEnd.length) : chain;
}
