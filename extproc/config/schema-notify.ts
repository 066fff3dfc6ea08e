/** The section of `skilltape.yaml` about who is told of held requests, and of access that is asked for. */
import { z } from 'zod';
import { baseUrlRule, isBaseUrl, milliseconds, path } from './units.ts';

const targetNamePattern = /^[a-z0-9-]{1,63}$/;

export const notifyKinds = ['slack', 'teams', 'webhook', 'email'] as const;
export const notifySubjects = ['approval', 'access', 'break_glass'] as const;
export const notifyOccasions = ['opened', 'expiring', 'decided', 'expired'] as const;

/** One address, without a name beside it: nothing in it can be taken for a second one or for another header. */
const mailAddress = z
  .string()
  .max(254)
  .regex(/^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+$/, 'must be one plain address such as approvals@example.com');

const hostName = z
  .string()
  .max(253)
  .regex(/^[A-Za-z0-9.:-]+$/, 'must be a host name or an IP address');

const target = z.strictObject({
  kind: z.enum(notifyKinds).meta({
    description:
      'What is sent: the shape that Slack or Teams take at an incoming webhook, signed JSON for a program of yours (`webhook`), or mail.',
  }),
  urlFile: path(
    'File with the URL to post to, of `slack`, `teams` and `webhook`. The URL of a chat is a credential: a file that every user can read is refused.',
  ).optional(),
  secretFile: path(
    'File with the secret that signs what a `webhook` gets: `whsec_` and 24 to 64 bytes in base64.',
  ).optional(),
  allowPlainHttp: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether the URL may begin with http:// on another host than this one.' }),
  smtpHost: hostName.optional().meta({ description: 'Mail server of an `email`.' }),
  smtpPort: z.int().min(1).max(65535).default(587).meta({ description: 'Its TCP port.' }),
  smtpTls: z.enum(['starttls', 'implicit', 'none']).default('starttls').meta({
    description:
      'How the connection to it is encrypted; `none` is for a server on this host or one you trust the way to.',
  }),
  smtpUserFile: path('File with the user at the mail server; without it nobody logs in.').optional(),
  smtpPasswordFile: path('File with the password of that user.').optional(),
  from: mailAddress.optional().meta({ description: 'Sender of an `email`.' }),
  to: z.array(mailAddress).min(1).max(20).optional().meta({ description: 'Receivers of an `email`.' }),
  subjects: z
    .array(z.enum(notifySubjects))
    .min(1)
    .default([...notifySubjects])
    .meta({
      description:
        'About what it is told: `approval` (requests that are held), `access` (that is asked for), `break_glass`.',
    }),
  occasions: z
    .array(z.enum(notifyOccasions))
    .min(1)
    .default([...notifyOccasions])
    .meta({
      description:
        'Of what it is told: `opened` (or asked for), `expiring` (soon, and undecided), `decided` (also taken back), `expired` (undecided; of access and break-glass also that it ended by its time).',
    }),
  namesPerson: z.boolean().default(false).meta({
    description: 'Whether it is told who asks. Otherwise only whoever opens the ticket sees that.',
  }),
});

export const notify = z.strictObject({
  linkBase: z.string().max(2048).refine(isBaseUrl, baseUrlRule).optional().meta({
    description:
      'Where the console is for people: a message links to `<linkBase>/approvals/<ticket>` or `<linkBase>/access/<request>`. The link only locates. Without it the ticket is named alone.',
    unit: 'URL',
  }),
  targets: z.record(z.string().regex(targetNamePattern), target).default({}).meta({
    description:
      'Who is told of held requests and of access that is asked for, at most 20, by a name of yours; see docs/approvals.md.',
  }),
  expiringMs: milliseconds(
    10_000,
    86_400_000,
    600_000,
    'How long before its end an undecided ticket is told of once more, at most a quarter of its time.',
  ),
  giveUpMs: milliseconds(
    60_000,
    604_800_000,
    3_600_000,
    'How long a message that could not be delivered is tried again; then the ticket says so.',
  ),
  requestTimeoutMs: milliseconds(100, 60_000, 10_000, 'Longest time that one delivery may take.'),
});
