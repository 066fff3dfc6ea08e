import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { SkilltapeError } from '../errors.ts';
import {
  type Asker,
  askForAccess,
  breakGlass,
  type DeskAnswer,
  type Doer,
  decideGrant,
  type GrantDeskParts,
  type Thing,
} from '../grants/desk.ts';
import type { GrantDecision, GrantRefusal, Grants } from '../grants/grants.ts';
import { grantLine, grantPage } from '../terminal/grant.ts';
import { sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import { personGiven } from './asked.ts';
import { durationHelp, durationMs } from './duration.ts';
import {
  exitNothingFound,
  type LookingDependencies,
  lookingCommand,
  recordLook,
  tellingUsage,
  wholeNumber,
} from './looking.ts';

export type GrantsDependencies = {
  /** Closed by whoever opens it. */
  openGrants(): Grants;
  groups(): string[];
  /** As it is in the files now. */
  policy(): Promise<GrantDeskParts['policy']>;
  limits(): GrantDeskParts['limits'];
  connections(): readonly string[];
  /** The issuer whose groups are meant where policy does not say whose; null where several could be. */
  homeIssuer(): string | null;
  /** Who comes with this token, or with that of the login of this user. Throws SkilltapeError `usage`. */
  asker(token: string | null): Promise<Asker>;
};

const exitRefused = 3;
const listLimitDefault = 100;
const listLimitMax = 10_000;
const reasonMaxChars = 500;
const exitCodes = `0 recorded, 1 there is no such thing, 2 the command line is wrong, ${exitRefused} refused.`;

type AskFlags = { connection?: string; skill?: string; model?: string; for: string; tokenFile?: string };
type GlassFlags = { connection?: string; all?: true; person?: string[]; for: string };
type Flags = { reason: string; json?: true };

/** `skilltape request-access`: a person asks for access for a time, by their own token. */
export function requestAccessCommand(dependencies: LookingDependencies, grants: GrantsDependencies): Command {
  return lookingCommand('request-access', dependencies, { exitCodes, needsReason: true })
    .description('ask for access to a connection, skill or model for a time, by your own token')
    .option('--connection <name>', 'the connection; with --skill or --model: there alone')
    .option('--skill <id>', 'a skill, by its id')
    .option('--model <name>', 'a model, by its whole name')
    .requiredOption('--for <time>', `how long, ${durationHelp}`)
    .option('--token-file <file>', 'your token (else that of skilltape token login)')
    .action((flags: AskFlags & Flags) =>
      tellingUsage(dependencies, async () => {
        const thing = thingOf(flags);
        const forMs = durationMs('--for', flags.for);
        const reason = reasonOf(dependencies, flags);
        const asker = await grants.asker(tokenIn(flags.tokenFile));
        recordLook(dependencies, 'access', `ask\n${JSON.stringify(thing)}`, flags.reason);
        const doer = doerOf(dependencies, grants);
        await withDesk(grants, (parts) =>
          tell(
            dependencies,
            askForAccess(parts, { asker, doer, thing, forMs, reason }, dependencies.now().getTime()),
            flags,
          ),
        );
      }),
    );
}

/** `skilltape break-glass`: the first of two people; the second one approves. */
export function breakGlassCommand(dependencies: LookingDependencies, grants: GrantsDependencies): Command {
  return lookingCommand('break-glass', dependencies, { exitCodes, needsReason: true })
    .description('lift the rules of lists/break_glass for a short time, once somebody else has approved it too')
    .option('--connection <name>', 'on this connection')
    .option('--all', 'on every connection')
    .option(
      '--person <issuer-and-subject...>',
      'for one person: the issuer and the subject of the tokens (else for all)',
    )
    .requiredOption('--for <time>', `how long, ${durationHelp}`)
    .action((flags: GlassFlags & Flags) =>
      tellingUsage(dependencies, async () => {
        if ((flags.connection === undefined) === (flags.all === undefined))
          throw new SkilltapeError('usage', 'give --connection or --all', { remedy: 'name what it is for' });
        const connection = flags.connection ?? null;
        const holder = flags.person === undefined ? null : { ...personGiven(flags.person), name: '', email: '' };
        const forMs = durationMs('--for', flags.for);
        const reason = reasonOf(dependencies, flags);
        recordLook(dependencies, 'break_glass', `begin\n${connection ?? 'all connections'}`, flags.reason);
        const doer = doerOf(dependencies, grants);
        await withDesk(grants, (parts) =>
          tell(
            dependencies,
            breakGlass(parts, { doer, holder, connection, forMs, reason }, dependencies.now().getTime()),
            flags,
          ),
        );
      }),
    );
}

/** `skilltape access`: what is asked for and in force, with who gave it. */
export function accessCommand(dependencies: LookingDependencies, { openGrants }: GrantsDependencies): Command {
  return lookingCommand('access', dependencies)
    .description('list who asked for access and who has it, and break-glass, or show one')
    .argument('[grant]', 'show this one whole, with everything that happened to it')
    .option('--all', 'list ended ones too, the newest first', false)
    .option('--limit <count>', `1 to ${listLimitMax}`, String(listLimitDefault))
    .action((id: string | undefined, flags: { all: boolean; limit: string; json?: true; why?: string }) =>
      tellingUsage(dependencies, async () => {
        const limit = wholeNumber('--limit', flags.limit, 1, listLimitMax);
        recordLook(dependencies, 'access', id ?? (flags.all ? 'all grants' : 'grants in force'), flags.why);
        const grants = openGrants();
        try {
          const nowMs = dependencies.now().getTime();
          const found =
            id === undefined
              ? grants.list(flags.all ? 'all' : 'live', limit, nowMs)
              : [grants.read(id, nowMs) ?? []].flat();
          const text = id === undefined ? (grant: (typeof found)[number]) => `${grantLine(grant)}\n` : grantPage;
          for (const grant of found) dependencies.write(flags.json ? `${sanitisedJson(grant)}\n` : text(grant));
          if (found.length > 0) return;
          dependencies.writeError(`${id === undefined ? 'Nobody asked for access.' : 'There is no such grant.'}\n`);
          dependencies.setExitCode(exitNothingFound);
        } finally {
          grants.close();
        }
      }),
    );
}

/** What `approve`, `deny` and `revoke` do for the id of a grant. */
export async function decideOnGrant(
  dependencies: LookingDependencies,
  grants: GrantsDependencies,
  id: string,
  kind: GrantDecision['kind'],
  flags: Flags & { for?: string },
): Promise<void> {
  const reason = reasonOf(dependencies, flags);
  const forMs = flags.for === undefined ? undefined : durationMs('--for', flags.for);
  recordLook(dependencies, 'decision', `${kind} ${id}`, flags.reason);
  const doer = doerOf(dependencies, grants);
  await withDesk(grants, (parts) =>
    tell(dependencies, decideGrant(parts, { id, kind, doer, reason, forMs }, dependencies.now().getTime()), flags),
  );
}

function thingOf(flags: AskFlags): Thing {
  const [connection, skill, model] = [flags.connection ?? null, flags.skill ?? null, flags.model ?? null];
  if (skill !== null && model !== null) {
    throw new SkilltapeError('usage', '--skill and --model are two things', { remedy: 'ask for each by itself' });
  }
  if (connection !== null || skill !== null || model !== null) return { connection, skill, model };
  throw new SkilltapeError('usage', 'nothing is asked for', { remedy: 'give --connection, --skill or --model' });
}

function reasonOf({ maskQuery }: LookingDependencies, { reason }: Flags): string {
  if (reason.trim() !== '' && reason.length <= reasonMaxChars) return maskQuery(reason);
  throw new SkilltapeError('usage', `--reason has to have 1 to ${reasonMaxChars} characters`, {
    remedy: 'say in a sentence why',
  });
}

function tokenIn(file: string | undefined): string | null {
  if (file === undefined) return null;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (thrown) {
    throw new SkilltapeError('usage', `--token-file cannot be read: ${SkilltapeError.from(thrown).message}`, {
      remedy: 'write your token into a file that only you may read',
    });
  }
}

function doerOf({ operator }: LookingDependencies, { groups, homeIssuer }: GrantsDependencies): Doer {
  const { osUser: name, uid } = operator;
  const home = homeIssuer();
  const account = { kind: 'os' as const, name, uid, groups: groups() };
  return { operator: { ...account, ...(home !== null && { home_issuer: home }) }, person: null };
}

async function withDesk(
  { openGrants, policy, limits, connections }: GrantsDependencies,
  use: (parts: GrantDeskParts) => void,
): Promise<void> {
  // Compiled first: by a policy that is broken nobody asks or decides.
  const compiled = await policy();
  const grants = openGrants();
  try {
    use({ grants, policy: compiled, limits: limits(), connections: connections() });
  } finally {
    grants.close();
  }
}

function tell(dependencies: LookingDependencies, answer: DeskAnswer, { json }: Flags): void {
  if (answer.kind === 'recorded') {
    dependencies.write(json ? `${sanitisedJson(answer.grant)}\n` : `${grantLine(answer.grant)}\n`);
    return;
  }
  for (const line of refusalLines(answer)) dependencies.writeError(`${sanitiseLine(line)}\n`);
  const isMissing = answer.kind === 'refused' && answer.why === 'not_found';
  dependencies.setExitCode(isMissing ? exitNothingFound : exitRefused);
}

function refusalLines(answer: Exclude<DeskAnswer, { kind: 'recorded' }>): readonly string[] {
  switch (answer.kind) {
    case 'not_allowed':
      return answer.reasons;
    case 'full':
      return [`As many grants as grants.${answer.limit} allows wait or are in force.`];
    case 'refused':
      return [refusals[answer.why](answer.state)];
    default:
      return answer satisfies never;
  }
}

const refusals: Record<GrantRefusal, (state: string) => string> = {
  not_found: () => 'There is no such grant. `skilltape access` lists those that wait.',
  not_open: (state) => `It cannot be decided any more: it is ${state}.`,
  own: () => 'Somebody else has to decide: it was asked for by you, or for you.',
  approved_before: () => 'You have approved it already; somebody else has to.',
};
