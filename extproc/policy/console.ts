/** Who may look at what: the input document and the decision of `console`, and the list that operators edit. */
import { z } from 'zod';
import type { PolicyFault } from './decision.ts';

/**
 * Being shown what stands behind tokens, deciding about what is held (and seeing it), being shown what is held, taking masked conversations away, giving and taking
 * back access, break-glass, ending what runs, and following a session. `ask` is a person's own, with their token: no list
 * of operators counts for it.
 */
export const consoleActions = [
  'reveal',
  'decide',
  'approvals',
  'export',
  'grant',
  'break_glass',
  'stop',
  'tail',
  'ask',
] as const;

/**
 * `os`: an account of the operating system, whose groups are the system's. `person`: somebody known by the issuer and
 * subject of their token, whose groups are the token's; `name` is for people then and proves nothing, and `uid` is -1.
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
    issuer: text.optional(),
    subject: text.optional(),
    /** The issuer whose groups are meant where a list does not say whose (`console.identityProvider`). */
    home_issuer: text.optional(),
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
  time: text,
  /** What is asked for or decided about, where it is a grant; an empty name is not part of it. */
  grant: z.strictObject({ connection: text, skill: text, model: text, minutes: count }).optional(),
  /** Of what is decided about: whoever decides counts for one group of each list. */
  approvers: z.array(texts).optional(),
});

const reason = z.strictObject({ rule: z.string().min(1).max(200), message: z.string().min(1).max(2000) });

const grantTerms = z.strictObject({
  quorum: z.int().min(1).max(10),
  open_minutes: z.number().min(1),
  grant_minutes: z.number().min(1),
  approvers: z.array(z.array(z.string().min(1)).max(100)).max(100),
});

export const consoleDecision = z
  .strictObject({
    verdict: z.enum(['allow', 'deny']),
    reasons: z.array(reason).max(1000),
    /** Held besides the rules, where two looks at once are counted one after the other. */
    limits: z.strictObject({ values_per_operator_per_hour: count, values_per_person_per_hour: count }),
    /** What giving a grant takes, where one is asked for. */
    terms: grantTerms.optional(),
    /** Who the operator is by token, as far as it is known: two ways of deciding must not make two people of one. */
    persons: z.array(z.strictObject({ issuer: z.string().min(1), subject: z.string().min(1) })).optional(),
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
  };
}

const names = z.array(z.string().min(1));

/** What an operator can be listed for. */
const listedActions = consoleActions.filter((action) => action !== 'ask');

const operator = z.strictObject({
  actions: z.array(z.enum(listedActions)).min(1),
  /** The groups of approvers that they count for, where policy names some; without it all. */
  approves: names.optional(),
  /** Who they are by their tokens: nobody decides about a request of their own. */
  person: z.strictObject({ issuer: z.string().min(1), subject: z.string().min(1) }).optional(),
  users: names.optional(),
  uids: z.array(z.int().min(0)).optional(),
  groups: names.optional(),
  /** Groups of people who are known by their tokens; `groups` are those of accounts. */
  token_groups: names.optional(),
  /** Who gives those groups, where it is not the provider at which people log in to the console. */
  issuer: z.string().min(1).optional(),
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
