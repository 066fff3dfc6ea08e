/** How policy has an exchange masked: the `masking` of a `record` decision, and the list that operators edit. */
import { z } from 'zod';
import { detectorLimits, ownTypeForm } from '../masking/detector-list.ts';
import type { FindingType } from '../masking/finding.ts';
import { policyTypes } from './input-bounds.ts';
import { type TypeNames, typeName } from './type-name.ts';

/** The parts of an exchange that can be dropped, or kept with nothing but secrets masked. */
export const maskedFields = ['system', 'tools', 'messages', 'answer', 'error'] as const;
export type MaskedField = (typeof maskedFields)[number];

/** Within what the same value has the same token, from the narrowest to the widest. */
export const tokenScopes = ['session', 'identity', 'connection', 'all'] as const;
export type TokenScope = (typeof tokenScopes)[number];

/** What a rule that leaves secrets readable has to say, so that nobody writes it by mistake. */
export const secretsConsequence = 'secrets stay readable in the index';
const secrets: ReadonlySet<string> = new Set(['SECRET', 'PEM']);

const typesMax = policyTypes.length + detectorLimits.ownTypesMax;
const fields = z.array(z.enum(maskedFields)).max(maskedFields.length);
const scope = z.enum(tokenScopes);

/**
 * Arrays and keys of type names; null takes any name that a type can have. A stable token for a type with few values
 * would be a dictionary, so of these there are no scopes.
 */
function typeSchemas(names: TypeNames | null) {
  const type: z.ZodType<FindingType> = names === null ? typeName : z.enum(names.all);
  const scopes: z.ZodType<{ [type: string]: TokenScope | undefined }> =
    names === null ? z.record(z.string().regex(ownTypeForm), scope) : z.partialRecord(z.enum(names.hashed), scope);
  const hashed: z.ZodType<FindingType> = names === null ? typeName : z.enum(names.hashed);
  return { types: z.array(type).max(typesMax), reveals: z.array(hashed).max(typesMax), scopes };
}

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
export function maskingDecisionFor(names: TypeNames | null) {
  const { types, reveals, scopes } = typeSchemas(names);
  return z
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
}

export type MaskingDecision = z.infer<ReturnType<typeof maskingDecisionFor>>;

/** Every type masked that is on by default, with tokens of the session. */
export const usualMasking: MaskingDecision = { off: [], on: [], plain: [], scopes: {}, whole: [], drop: [] };

const texts = z.array(z.string().min(1));

/** The content of `lists/masking/data.json`. */
export function maskingListFor(names: TypeNames | null) {
  const { types, reveals, scopes } = typeSchemas(names);
  const rule = z
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
  return z.strictObject({ rules: z.array(rule) });
}
