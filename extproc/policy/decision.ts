/** The documents that policies answer with, and the decisions that stand in when a policy gives none. */
import { z } from 'zod';
import { approvalDecision } from './approval-list.ts';
import { maskingDecisionFor, usualMasking } from './masking-decision.ts';
import { type PrivacyDecision, privacyDecision, usualPrivacy } from './privacy-decision.ts';
import type { TypeNames } from './type-name.ts';

/** One rule that fired, in words for the person who is refused. */
const reason = z.strictObject({ rule: z.string().min(1).max(200), message: z.string().min(1).max(2000) });
const reasons = z.array(reason).max(1000);

/** Statuses of a refusal after which no client sends the request again, as it does after 408, 409, 429 and 5xx. */
const status = z.literal([400, 401, 403, 404, 405, 413, 415, 422]);

export function isRefusalStatus(number: number): boolean {
  return status.safeParse(number).success;
}

/** What rules would decide that are only observed; nothing is refused for it. */
const observed = z.strictObject({ verdict: z.enum(['deny', 'hold']), reasons: reasons.min(1) }).optional();

/** Rules that did not count, because of grants with these ids. */
const lifted = z
  .strictObject({ grants: z.array(z.string().min(1).max(64)).min(1), reasons: reasons.min(1) })
  .optional();

/** The decision of `access` and of `request`. A denial without a status is a 403. */
export const verdictDecision = z.discriminatedUnion('verdict', [
  z.strictObject({ verdict: z.literal('allow'), reasons, observed, lifted }),
  z.strictObject({
    verdict: z.literal('deny'),
    reasons: reasons.min(1),
    status: status.default(403),
    observed,
    lifted,
  }),
  z.strictObject({
    verdict: z.literal('hold'),
    reasons: reasons.min(1),
    approval: approvalDecision.prefault({}),
    observed,
    lifted,
  }),
]);

/**
 * The decision of `record`, with these types of values; null takes any. The class names folders and files, hence its
 * alphabet.
 */
export function recordDecisionFor(names: TypeNames | null) {
  return z.strictObject({
    keep: z.enum(['full', 'metadata']),
    retention_class: z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/),
    masking: maskingDecisionFor(names).default(usualMasking),
    /** Absent where policies of an earlier version say nothing of it. */
    privacy: privacyDecision.optional(),
    reasons,
  });
}

export type AccessDecision = z.infer<typeof verdictDecision>;
export type RequestDecision = z.infer<typeof verdictDecision>;
export type RecordDecision = z.infer<ReturnType<typeof recordDecisionFor>>;

export type PolicyFault = 'policy_failed' | 'input_too_large';

const faultMessages: Record<PolicyFault, string> = {
  policy_failed: 'The policy of this gateway failed, so the request was refused. An operator has to act.',
  input_too_large: 'This request names more tools, skills or other things than the policy of this gateway can judge.',
};

/** The decision when policy gave none (inv. 2). */
export function denialFor(fault: PolicyFault): AccessDecision & { verdict: 'deny' } {
  return { verdict: 'deny', status: 403, reasons: [faultReason(fault)] };
}

/**
 * What is kept when policy gave no decision: the sealed raw bytes are kept whatever it says, so the safe side for what
 * can be read and searched is the metadata alone.
 */
export function recordFor(fault: PolicyFault, privacy?: PrivacyDecision): RecordDecision {
  return {
    ...(privacy !== undefined && privacy !== usualPrivacy && { privacy }),
    keep: 'metadata',
    retention_class: 'standard',
    masking: usualMasking,
    reasons: [faultReason(fault)],
  };
}

function faultReason(fault: PolicyFault): z.infer<typeof reason> {
  return { rule: `skilltape/${fault}`, message: faultMessages[fault] };
}
