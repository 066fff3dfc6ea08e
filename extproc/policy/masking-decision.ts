/** How policy has an exchange masked: the `masking` of a `record` decision, and the list that operators edit. */
import { z } from 'zod';
import { plainTypes } from '../masking/finding.ts';
import { policyTypes } from './input-bounds.ts';

/** The parts of an exchange that can be dropped, or kept with nothing but secrets masked. */
export const maskedFields = ['system', 'tools', 'messages', 'answer', 'error'] as const;
export type MaskedField = (typeof maskedFields)[number];

/** Within what the same value has the same token, from the narrowest to the widest. */
export const tokenScopes = ['session', 'identity', 'connection', 'all'] as const;
export type TokenScope = (typeof tokenScopes)[number];

/** A stable token for a type with few values would be a dictionary, so these never have one, whatever policy says. */
export const hashedTypes = policyTypes.filter((type) => !plainTypes.has(type));

/** What a rule that leaves secrets readable has to say, so that nobody writes it by mistake. */
export const secretsConsequence = 'secrets stay readable in the index';
const secrets: ReadonlySet<string> = new Set(['SECRET', 'PEM']);

const types = z.array(z.enum(policyTypes)).max(policyTypes.length);
const fields = z.array(z.enum(maskedFields)).max(maskedFields.length);
const reveals = z.array(z.enum(hashedTypes)).max(hashedTypes.length);
const scopes = z.partialRecord(z.enum(hashedTypes), z.enum(tokenScopes));
const consequence = z.literal(secretsConsequence);

type Said = { off?: readonly string[] | undefined; consequence?: string | undefined };

function saysConsequence({ off, consequence: said }: Said): boolean {
  return said === secretsConsequence || !(Array.isArray(off) && off.some((type) => secrets.has(type)));
}

const consequenceCheck = {
  error: `SECRET or PEM is off; say what comes of it: "consequence": ${JSON.stringify(secretsConsequence)}`,
  path: ['off'],
  // Beside whatever else is wrong, so that all faults are told together.
  when: ({ value }: { value: unknown }) => typeof value === 'object' && value !== null,
};

/** Composed of what all rules ask for; absent where policies of an earlier version say nothing of it. */
export const maskingDecision = z
  .strictObject({
    /** Types that are left as they are. */
    off: types,
    /** Types that are masked although they are off by default. */
    on: types,
    /** Types whose tokens have no hash. */
    plain: types,
    /** Types whose tokens are the same beyond the session. */
    scopes,
    /** Fields in which nothing but secrets is masked. */
    whole: fields,
    /** Fields that are not kept where they can be read. */
    drop: fields,
    /** Types whose values can be turned back beside the usual ones, and types whose values cannot. */
    reveal: reveals.optional(),
    no_reveal: types.optional(),
    consequence: consequence.optional(),
  })
  .refine(saysConsequence, consequenceCheck);

export type MaskingDecision = z.infer<typeof maskingDecision>;

/** Every type masked that is on by default, with tokens of the session. */
export const usualMasking: MaskingDecision = { off: [], on: [], plain: [], scopes: {}, whole: [], drop: [] };

const texts = z.array(z.string().min(1));

const maskingRule = z
  .strictObject({
    when: z
      .strictObject({ connections: texts, groups: texts, skills: texts, endpoints: texts, classes: texts })
      .partial()
      .optional(),
    off: types.optional(),
    on: types.optional(),
    plain: types.optional(),
    scopes: scopes.optional(),
    whole: fields.optional(),
    masked: fields.optional(),
    drop: fields.optional(),
    reveal: reveals.optional(),
    no_reveal: types.optional(),
    consequence: consequence.optional(),
  })
  .refine(saysConsequence, consequenceCheck);

/** The content of `lists/masking/data.json`. */
export const maskingList = z.strictObject({ rules: z.array(maskingRule) });
