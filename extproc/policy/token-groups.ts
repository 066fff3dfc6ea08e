/** Whose groups of tokens lists mean: two providers may give the same name to other people. */
import { z } from 'zod';

const issuer = z.string().optional();
const groups = z.array(z.string()).optional();
const list = z.object({
  lists: z.object({
    console: z.object({ operators: z.array(z.object({ issuer, token_groups: groups })) }),
    access_requests: z.object({ rules: z.array(z.object({ issuer, groups })) }).optional(),
  }),
});

/**
 * Why it is not clear, in words with place and remedy; none where it is.
 * @param data of the module, as it was compiled
 * @param issuers of the people who can come to the console and its API
 * @param all issuers that are configured: whoever has a token of one can ask for access at the command line
 */
export function tokenGroupFaults(data: object, issuers: readonly string[], all: readonly string[]): string[] {
  const read = list.safeParse(data);
  if (!read.success) return [];
  const { console: operators, access_requests: offers } = read.data.lists;
  return [...operatorFaults(operators.operators, issuers), ...offerFaults(offers?.rules ?? [], issuers, all)];
}

type Operator = { issuer?: string | undefined; token_groups?: string[] | undefined };

function operatorFaults(operators: readonly Operator[], issuers: readonly string[]): string[] {
  return operators.flatMap(({ issuer: of, token_groups: named }, place) => {
    const where = `lists/console/data.json: operators[${place}]`;
    const known = `one of ${issuers.join(', ')}`;
    if (named === undefined) {
      return of === undefined ? [] : [`${where} has an issuer and no token_groups, for which it would be`];
    }
    if (of === undefined) {
      return issuers.length <= 1 ? [] : [`${where} does not say who gives its token_groups: add issuer, ${known}`];
    }
    if (issuers.includes(of)) return [];
    return [`${where} has an issuer by whose tokens nobody can come here: make it ${known}`];
  });
}

type Offer = { issuer?: string | undefined; groups?: string[] | undefined };

function offerFaults(offers: readonly Offer[], issuers: readonly string[], all: readonly string[]): string[] {
  return offers.flatMap(({ issuer: of, groups: named }, place) => {
    const where = `lists/access_requests/data.json: rules[${place}]`;
    const known = `one of ${all.join(', ')}`;
    if (of !== undefined) {
      return all.includes(of) ? [] : [`${where} has an issuer of which no provider is configured: make it ${known}`];
    }
    const isUnclear = named !== undefined && issuers.length > 1;
    return isUnclear ? [`${where} does not say who gives its groups: add issuer, ${known}`] : [];
  });
}
