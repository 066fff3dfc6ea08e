/** The list that says who approves held requests and how: `policies/lists/approval/data.json`. */
import { z } from 'zod';

/** What a grant is good for, as `exchange/approval-desk.ts` has it. */
const scopes = ['request', 'session', 'skill'] as const;

/** A week; a ticket that nobody decided in that time is forgotten by whoever asked. */
const minutesMax = 7 * 24 * 60;

export const approvalTerms = z.strictObject({
  approvers: z
    .array(z.string().min(1).max(200))
    .max(100)
    .default([])
    .describe('groups of people who may decide in the console'),
  quorum: z.int().min(1).max(10).default(1).describe('how many different people have to approve'),
  open_minutes: z.int().min(1).max(minutesMax).default(60).describe('how long a request waits for a decision'),
  scopes: z
    .array(z.enum(scopes))
    .min(1)
    .default(['request'])
    .describe('what may be approved: this request once, or a session or a skill for a time'),
  grant_minutes: z.int().min(1).max(minutesMax).default(30).describe('how long an approval can be used at the most'),
  risk: z.enum(['low', 'medium', 'high']).default('medium').describe('what is told to whoever decides'),
});

/** The terms of a decision; whoever approves is in one group of each of `approver_lists`, where there are several. */
export const approvalDecision = approvalTerms.extend({
  approver_lists: z
    .array(z.array(z.string().min(1).max(200)).min(1).max(100))
    .max(100)
    .optional(),
});

const rule = z.string().regex(/^(?:access|request)\/\w+$/, 'must be a rule such as request/findings_listed');

/** A part of the terms, without what would fill in the rest. */
const termsOfRule = z
  .strictObject({
    approvers: approvalTerms.shape.approvers.unwrap(),
    quorum: approvalTerms.shape.quorum.unwrap(),
    open_minutes: approvalTerms.shape.open_minutes.unwrap(),
    scopes: approvalTerms.shape.scopes.unwrap(),
    grant_minutes: approvalTerms.shape.grant_minutes.unwrap(),
    risk: approvalTerms.shape.risk.unwrap(),
  })
  .partial();

export const approvalList = approvalTerms.extend({
  rules: z.record(rule, termsOfRule).optional().describe('other terms for what these rules hold'),
});

export type ApprovalTermsDocument = z.infer<typeof approvalDecision>;
