/**
 * The lists that operators edit, by the name of their folder in `policies/lists`; that of their own detectors has a check
 * of its own (`detectors-list.ts`).
 */
import { z } from 'zod';
import { endpointNames } from '../claude/endpoint.ts';
import { ownedKinds } from '../claude/owned-ids.ts';
import { accessRequestsList, breakGlassList } from './access-lists.ts';
import { approvalList } from './approval-list.ts';
import { consoleList } from './console.ts';
import { findingsListFor } from './findings-list.ts';
import { tagNamePattern, weekdays } from './input-bounds.ts';
import { maskingListFor } from './masking-decision.ts';
import { observeList } from './observe-list.ts';
import { denyList, endpointsList, modelsList } from './plain-lists.ts';
import { privacyDecision } from './privacy-decision.ts';
import { isTimeZone } from './time-zones.ts';
import { bodyWhen, headersWhen } from './when.ts';

const pattern = z
  .string()
  .min(1)
  .regex(/^[^*]*\*?$/, 'must be a whole name, or a beginning with a * at its end');
const patterns = z.array(pattern);

/** `*.example.com` stands for the hosts below it; a port is part of a host. */
const host = z
  .string()
  .regex(/^(?:\*|(?:\*\.)?[a-z0-9][a-z0-9.-]*(?::\d{1,5})?)$/, 'must be a host in lower case, *.example.com or *');

const effect = z.enum(['deny', 'hold']);
const tagName = z.string().regex(tagNamePattern, 'must be a name of small letters, digits, - and _');

const clockTime = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'must be a time from 00:00 to 24:00');
const timeZone = z.string().refine(isTimeZone, 'must be a time zone such as Europe/Berlin or UTC');

const hours = z
  .strictObject({
    when: headersWhen.optional(),
    time_zone: timeZone,
    days: z.array(z.enum(weekdays)).min(1),
    from: clockTime,
    to: clockTime,
  })
  .refine(({ from, to }) => from < to, {
    error: 'must be after from; hours over midnight are two entries',
    path: ['to'],
    // Beside whatever else is wrong, so that all faults are told together.
    when: ({ value }) => typeof (value as { from?: unknown } | null)?.from === 'string',
  });

const amounts = z
  .strictObject({
    requests: z.int().min(0),
    input_tokens: z.int().min(0),
    output_tokens: z.int().min(0),
    tokens: z.int().min(0),
    spend: z.number().min(0),
  })
  .partial();

const budget = z
  .strictObject({
    when: bodyWhen.optional(),
    effect,
    per_day: amounts.optional(),
    per_session: amounts.optional(),
    per_minute: z.strictObject({ requests: z.int().min(0) }).optional(),
    unpriced: z.literal('allow').optional(),
  })
  .refine((entry) => Object.keys(entry).some((key) => key.startsWith('per_')), {
    error: 'must have per_day, per_session or per_minute',
    when: ({ value }) => typeof value === 'object' && value !== null,
  });

const most = z.int().min(0);
const size = z
  .strictObject({
    when: bodyWhen.optional(),
    effect,
    body_bytes: most.optional(),
    text_bytes: most.optional(),
    max_tokens: most.optional(),
    messages: most.optional(),
    tools: most.optional(),
    files: most.optional(),
    batch_requests: most.optional(),
  })
  .refine((entry) => Object.keys(entry).some((key) => key !== 'when' && key !== 'effect'), {
    error: 'must name a size',
    when: ({ value }) => typeof value === 'object' && value !== null,
  });

function rulesOf<Entry extends z.ZodType>(entry: Entry) {
  return z.strictObject({ rules: z.array(entry) });
}

const retentionClass = z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/, 'must be a name of small letters, digits, - and _');
const retention = z.strictObject({
  default: retentionClass,
  classes: z.array(retentionClass).min(1),
  rules: z.array(z.strictObject({ when: bodyWhen.optional(), class: retentionClass })),
});

const listEndpoint = z
  .string()
  .refine((name) => endpointNames.includes(name), 'must be an endpoint such as files.list');
const ownershipList = z.strictObject({
  closed: z.array(listEndpoint),
  open: z.array(
    z.strictObject({
      when: bodyWhen.optional(),
      kinds: z.array(z.enum(ownedKinds)).min(1),
      owners: z.array(z.enum(['unknown', 'others'])).min(1),
    }),
  ),
});

const keep = z.enum(['full', 'metadata']);

export const listSchemas = {
  access_requests: accessRequestsList,
  allowed_connections: rulesOf(z.strictObject({ when: headersWhen.optional(), connections: patterns })),
  allowed_models: rulesOf(z.strictObject({ when: bodyWhen.optional(), models: patterns })),
  allowed_skills: rulesOf(z.strictObject({ when: bodyWhen.optional(), skills: patterns })),
  allowed_tools: rulesOf(z.strictObject({ when: bodyWhen.optional(), tools: patterns, types: patterns.optional() })),
  allowed_mcp_servers: rulesOf(z.strictObject({ when: bodyWhen.optional(), hosts: z.array(host) })),
  approval: approvalList,
  break_glass: breakGlassList,
  budgets: rulesOf(budget),
  console: consoleList,
  denied_mcp_tools: rulesOf(
    z.strictObject({ when: bodyWhen.optional(), hosts: z.array(host).min(1).optional(), tools: patterns.min(1) }),
  ),
  deny: denyList,
  endpoints: endpointsList,
  findings: findingsListFor(null),
  masking: maskingListFor(null),
  models: modelsList,
  observe: observeList,
  ownership: ownershipList,
  prompts: rulesOf(
    z.strictObject({
      when: bodyWhen.optional(),
      effect: z.enum(['deny', 'hold']),
      phrases: z.array(z.string().min(1).max(200)).min(1).max(1000),
      incomplete: z.literal('allow').optional(),
    }),
  ),
  privacy: rulesOf(privacyDecision.partial().extend({ when: bodyWhen.optional() })),
  recording: z.strictObject({ default: keep, rules: z.array(z.strictObject({ when: bodyWhen.optional(), keep })) }),
  required_tags: rulesOf(
    z.strictObject({
      when: headersWhen.optional(),
      tag: tagName,
      values: z.array(z.string().min(1)).min(1).optional(),
    }),
  ),
  retention: retention.check(classesAreKnown),
  sizes: rulesOf(size),
  working_hours: rulesOf(hours),
} as const satisfies Record<string, z.ZodType>;

/** An unknown class would count as the longest. */
function classesAreKnown({ value, issues }: z.core.ParsePayload<z.output<typeof retention>>): void {
  const named = [
    { path: ['default'], name: value.default },
    ...value.rules.map((entry, at) => ({ path: ['rules', at, 'class'], name: entry.class })),
  ];
  for (const { path, name } of named) {
    if (value.classes.includes(name)) continue;
    issues.push({ code: 'custom', input: value, path, message: `must be one of classes: ${value.classes.join(', ')}` });
  }
}
