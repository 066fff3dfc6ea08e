/** Whose groups the entries of `lists.console` mean by `token_groups`: two providers may give the same name to other people. */
import { z } from 'zod';

const list = z.object({
  lists: z.object({
    console: z.object({
      operators: z.array(z.object({ issuer: z.string().optional(), token_groups: z.array(z.string()).optional() })),
    }),
  }),
});

/**
 * Why it is not clear, in words with place and remedy; none where it is.
 * @param data of the module, as it was compiled
 * @param issuers of the people who can come to the console and its API
 */
export function tokenGroupFaults(data: object, issuers: readonly string[]): string[] {
  const read = list.safeParse(data);
  if (!read.success) return [];
  return read.data.lists.console.operators.flatMap(({ issuer, token_groups: groups }, place) => {
    const where = `lists/console/data.json: operators[${place}]`;
    const known = `one of ${issuers.join(', ')}`;
    if (groups === undefined) {
      return issuer === undefined ? [] : [`${where} has an issuer and no token_groups, for which it would be`];
    }
    if (issuer === undefined) {
      return issuers.length <= 1 ? [] : [`${where} does not say who gives its token_groups: add issuer, ${known}`];
    }
    if (issuers.includes(issuer)) return [];
    return [`${where} has an issuer by whose tokens nobody can come here: make it ${known}`];
  });
}
