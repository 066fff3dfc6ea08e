/** The list of what may not be sent, as operators edit it. */
import { z } from 'zod';
import type { FindingType } from '../masking/finding.ts';
import { type TypeNames, typeName } from './type-name.ts';

/** Where something is found in a request; an answer, and an error, are not there yet. */
const places = ['system', 'tools', 'messages', 'tool_result', 'file', 'other'] as const;

const texts = z.array(z.string().min(1));

/** The content of `lists/findings/data.json`; null takes any name that a type can have. */
export function findingsListFor(names: TypeNames | null) {
  const type: z.ZodType<FindingType> = names === null ? typeName : z.enum(names.all);
  const rule = z.strictObject({
    when: z.strictObject({ connections: texts, groups: texts, skills: texts, endpoints: texts }).partial().optional(),
    effect: z.enum(['deny', 'hold']),
    types: z.array(type).min(1),
    places: z.array(z.enum(places)).min(1).optional(),
    min_count: z.int().min(1).optional(),
    incomplete: z.literal('allow').optional(),
  });
  return z.strictObject({ rules: z.array(rule) });
}
