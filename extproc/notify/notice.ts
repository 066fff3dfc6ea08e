/** What people are told about: a request that is held, access that is asked for, and break-glass. */
export const noticeSubjects = ['approval', 'access', 'break_glass'] as const;
export type NoticeSubject = (typeof noticeSubjects)[number];

/**
 * Of what people are told. `expiring` is about what nobody decided, and so is `expired` of a request that was held; of
 * access and break-glass it is told too that what was given has ended by its time.
 */
export type Occasion = 'opened' | 'expiring' | 'decided' | 'expired';

/**
 * What a message says, whatever its shape. It locates and holds no content: no excerpt of the prompt, and what stands in
 * it passed through the masker with the ticket. What a caller chose (names of models and skills, which a rule's message
 * may repeat) is bounded here and made harmless by each shape.
 */
export type Notice = {
  /** The same at every attempt, by which a receiver knows a repetition. */
  id: string;
  about: NoticeSubject;
  occasion: Occasion;
  /** Of the ticket, or of what was asked for. */
  ticket: string;
  timeMs: number;
  /** When an undecided ticket ends; null when it is decided or over. */
  untilMs: number | null;
  risk: string;
  quorum: number;
  /** Null: each. */
  connection: string | null;
  models: string[];
  skills: string[];
  reasons: { rule: string; message: string }[];
  decision: { kind: 'approved' | 'denied' | 'revoked'; reason: string } | null;
  /** What is asked for, where it is access or break-glass, for how long and why; masked. */
  asked: { forMinutes: number; reason: string } | null;
  /** Whether what expired was given before. */
  wasGranted: boolean;
  /** Who asks, or whom break-glass is for; null where the target is not to know, or nobody is known. */
  person: { name: string; email: string; subject: string } | null;
  /** Null where `approvals.notify.linkBase` is not set. */
  link: string | null;
};

export const listMax = 5;
export const nameMaxChars = 200;
export const messageMaxChars = 500;

/** At most so many names, and how many there are more. */
export function bounded(names: readonly string[]): string[] {
  const shown = names.slice(0, listMax).map((name) => cut(name, nameMaxChars));
  return names.length > listMax ? [...shown, `and ${names.length - listMax} more`] : shown;
}

/** What may be long, never cut through the middle of a character. */
export function cut(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars).toWellFormed()}…`;
}

type Someone = { name: string; email: string; subject: string };

export function namedPerson(person: Someone | null): Notice['person'] {
  if (person === null) return null;
  const { name, email, subject } = person;
  return { name: cut(name, nameMaxChars), email: cut(email, nameMaxChars), subject: cut(subject, nameMaxChars) };
}

/** Where the page of it is. */
export function linkTo(base: string | null, path: string): string | null {
  return base === null ? null : `${base.replace(/\/$/, '')}${path}`;
}

type Words = Record<Exclude<Occasion, 'decided'> | 'approved' | 'denied' | 'revoked' | 'ended', string>;

const titles: Record<NoticeSubject, Words> = {
  approval: {
    opened: 'A request waits for an approval',
    expiring: 'A request is about to expire undecided',
    expired: 'A request expired undecided',
    ended: 'An approval was not used in its time',
    approved: 'A request was approved',
    denied: 'A request was denied',
    revoked: 'A request was revoked',
  },
  access: {
    opened: 'Access is asked for',
    expiring: 'A request for access is about to expire undecided',
    expired: 'A request for access expired undecided',
    ended: 'Access has ended by its time',
    approved: 'Access was given',
    denied: 'Access was denied',
    revoked: 'Access was taken back',
  },
  break_glass: {
    opened: 'Break-glass is asked for',
    expiring: 'Break-glass is about to expire undecided',
    expired: 'Break-glass expired undecided',
    ended: 'Break-glass has ended by its time',
    approved: 'Break-glass is in force',
    denied: 'Break-glass was denied',
    revoked: 'Break-glass was taken back',
  },
};

export function titleOf({ about, occasion, decision, wasGranted, ticket }: Notice): string {
  const words = titles[about];
  const name = about === 'approval' ? `ticket ${ticket}` : ticket;
  if (occasion === 'decided') return `${words[decision?.kind ?? 'approved']} (${name})`;
  return `${words[occasion === 'expired' && wasGranted ? 'ended' : occasion]} (${name})`;
}

/** What is said of it, line by line: our own word, and a value that may be anybody's. */
export function factsOf(notice: Notice): { name: string; value: string }[] {
  const { about, person, connection, models, skills, reasons, decision, asked, untilMs, risk, quorum } = notice;
  const toApprove = [risk, `${quorum} to approve`].filter((part) => part !== '').join('; ');
  const facts = [
    {
      name: about === 'break_glass' ? 'For' : 'Asked by',
      value: person === null ? '' : [person.name, person.email || person.subject].join(' ').trim(),
    },
    { name: 'Connection', value: connection ?? 'each' },
    { name: 'Model', value: models.join(', ') },
    { name: 'Skill', value: skills.join(', ') },
    ...reasons.map(({ rule, message }) => ({ name: 'Held because', value: `${message} (${rule})` })),
    { name: 'Asked because', value: asked?.reason ?? '' },
    { name: 'Minutes', value: asked === null ? '' : String(asked.forMinutes) },
    { name: 'Decided because', value: decision?.reason ?? '' },
    { name: about === 'approval' ? 'Risk' : 'Takes', value: untilMs === null ? '' : toApprove },
    { name: 'Ends', value: untilMs === null ? '' : new Date(untilMs).toISOString() },
  ];
  return facts.filter(({ value }) => value !== '');
}
