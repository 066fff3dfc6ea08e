/** Who may look at what: the input document and the decision of `console`, and the list that operators edit. */
import { z } from 'zod';
import type { PolicyFault } from './decision.ts';

/**
 * Being shown what stands behind tokens, deciding about what is held, and being shown what is held; whoever may decide
 * may look too.
 */
export const consoleActions = ['reveal', 'decide', 'approvals'] as const;

/**
 * `os`: an account of the operating system, whose groups are the system's. `person`: somebody known by their token, whose
 * groups are the token's; `name` is for people then and proves nothing, and `uid` is -1. Of an account `issuer` and
 * `subject` are empty.
 */
const operatorKinds = ['os', 'person'] as const;

const text = z.string();
const texts = z.array(text);
const count = z.number().min(0);

/** What an operator asks to be shown; `exchange` is empty for a whole session. Counts are of values. */
export const consoleInput = z.strictObject({
  version: z.literal(1),
  action: z.enum(consoleActions),
  operator: z.strictObject({
    kind: z.enum(operatorKinds),
    name: text,
    uid: z.number(),
    groups: texts,
    issuer: text,
    subject: text,
  }),
  person: z.strictObject({ issuer: text, subject: text, email: text, groups: texts }).nullable(),
  connection: text,
  session: text,
  exchange: text,
  retention_class: text,
  types: texts,
  values: count,
  reason: text,
  last_hour: z.strictObject({ operator_values: count, person_values: count }),
  /** Groups of people who may decide about what is held; empty: whoever is listed. */
  approvers: texts,
  time: text,
});

const personId = z.strictObject({ issuer: text, subject: text });
const reason = z.strictObject({ rule: z.string().min(1).max(200), message: z.string().min(1).max(2000) });

export const consoleDecision = z
  .strictObject({
    verdict: z.enum(['allow', 'deny']),
    reasons: z.array(reason).max(1000),
    /** Held besides the rules, where two looks at once are counted one after the other. */
    limits: z.strictObject({ values_per_operator_per_hour: count, values_per_person_per_hour: count }),
    /** Who the operator is by token: two ways of deciding must not make two people of one. */
    persons: z.array(personId).max(1000),
  })
  .refine(({ verdict, reasons }) => verdict === 'allow' || reasons.length > 0, 'a denial has a reason');

export type ConsoleInput = z.infer<typeof consoleInput>;
export type ConsoleDecision = z.infer<typeof consoleDecision>;

const messages: Record<PolicyFault, string> = {
  policy_failed: 'The policy of this gateway failed, so nothing is shown.',
  input_too_large: 'More is asked for than the policy of this gateway can judge.',
};

/** The decision when policy gave none. */
export function consoleDenialFor(fault: PolicyFault): ConsoleDecision {
  return {
    verdict: 'deny',
    reasons: [{ rule: `skilltape/${fault}`, message: messages[fault] }],
    limits: { values_per_operator_per_hour: 0, values_per_person_per_hour: 0 },
    persons: [],
  };
}

const names = z.array(z.string().min(1));

const operator = z.strictObject({
  actions: z.array(z.enum(consoleActions)).min(1),
  /** Who they are by their tokens: nobody decides about a request of their own. */
  person: z.strictObject({ issuer: z.string().min(1), subject: z.string().min(1) }).optional(),
  users: names.optional(),
  uids: z.array(z.int().min(0)).optional(),
  groups: names.optional(),
  /** Groups of people who are known by their tokens; `groups` are those of accounts. */
  token_groups: names.optional(),
  connections: names.optional(),
  types: names.optional(),
});

/** The content of `lists/console/data.json`. */
export const consoleList = z.strictObject({
  operators: z.array(operator),
  limits: z.strictObject({
    values_per_operator_per_hour: z.int().min(0),
    values_per_person_per_hour: z.int().min(0),
    reason_min_chars: z.int().min(0),
  }),
});
