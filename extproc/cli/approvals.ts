import type { Command } from 'commander';
import type { Decided, Decision } from '../approvals/decision.ts';
import type { RuleStats } from '../approvals/stats.ts';
import type { Approver } from '../approvals/ticket.ts';
import { approverListsOf, usesMax } from '../approvals/ticket.ts';
import type { Ticket } from '../approvals/tickets.ts';
import { SkilltapeError } from '../errors.ts';
import { type ScopeKind, scopeKinds } from '../exchange/approval-desk.ts';
import { isGrantId } from '../grants/desk.ts';
import type { Operator } from '../looks/operator.ts';
import type { ConsoleDecision, ConsoleInput } from '../policy/console.ts';
import { sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import { ticketLine, ticketPage } from '../terminal/ticket.ts';
import { ticketStatsPage } from '../terminal/ticket-stats.ts';
import { durationMs } from './duration.ts';
import { decideOnGrant, type GrantsDependencies } from './grants.ts';
import {
  exitNothingFound,
  type LookingDependencies,
  lookingCommand,
  recordLook,
  tellingUsage,
  wholeNumber,
} from './looking.ts';
import { momentHelp, rangeStart } from './moment.ts';

/** The tickets of this node (extproc/approvals). */
export type TicketDesk = {
  read(ticket: string, nowMs: number): Ticket | null;
  list(which: 'live' | 'all', limit: number, nowMs: number): Ticket[];
  decide(ticket: string, decision: Decision, nowMs: number): Decided;
  close(): void;
};

export type ApprovalsDependencies = {
  openTickets(): TicketDesk;
  stats(range: { fromMs: number; nowMs: number }): RuleStats[];
  groups(): string[];
  policy(): Promise<{ console(input: ConsoleInput): ConsoleDecision }>;
};

const listLimitDefault = 100;
const listLimitMax = 10_000;
const exitRefused = 3;

/** `skilltape approvals`: what waits for a decision, or one ticket whole. */
export function approvalsCommand(dependencies: LookingDependencies, approvals: ApprovalsDependencies): Command {
  return lookingCommand('approvals', dependencies)
    .description('list the requests that wait for an approval, or show one')
    .argument('[ticket]', 'show this one whole, with everything that happened to it')
    .option('--all', 'list decided ones too, the newest first', false)
    .option('--limit <count>', `1 to ${listLimitMax}`, String(listLimitDefault))
    .option('--stats', 'by rule: how many were held, what became of them, and how long people took')
    .option('--from <time>', `with --stats, tickets that were opened not before: ${momentHelp}`)
    .action((ticket: string | undefined, flags: ListFlags) =>
      tellingUsage(dependencies, async () => {
        if (flags.stats) {
          stats(dependencies, approvals, flags);
          return;
        }
        const limit = wholeNumber('--limit', flags.limit, 1, listLimitMax);
        recordLook(dependencies, 'approvals', ticket ?? (flags.all ? 'all tickets' : 'open tickets'), flags.why);
        withTickets(approvals, (desk) => {
          if (ticket === undefined) list(dependencies, desk, { ...flags, limit });
          else show(dependencies, desk, ticket, flags);
        });
      }),
    );
}

type ListFlags = { all: boolean; limit: string; stats?: true; from?: string; json?: true; why?: string };

function stats(dependencies: LookingDependencies, approvals: ApprovalsDependencies, flags: ListFlags): void {
  const now = dependencies.now();
  const fromMs = flags.from === undefined ? 0 : rangeStart('--from', flags.from, now).getTime();
  recordLook(dependencies, 'approvals', 'sums by rule', flags.why);
  const found = approvals.stats({ fromMs, nowMs: now.getTime() });
  if (found.length === 0) {
    dependencies.writeError('No request was held.\n');
    dependencies.setExitCode(exitNothingFound);
  } else if (flags.json === undefined) dependencies.write(ticketStatsPage(found));
  else for (const one of found) dependencies.write(`${sanitisedJson(one)}\n`);
}

function list(
  dependencies: LookingDependencies,
  desk: TicketDesk,
  flags: { all: boolean; limit: number; json?: true },
): void {
  const nowMs = dependencies.now().getTime();
  const tickets = desk.list(flags.all ? 'all' : 'live', flags.limit, nowMs);
  for (const ticket of tickets)
    dependencies.write(`${flags.json === undefined ? ticketLine(ticket, nowMs) : sanitisedJson(ticket)}\n`);
  if (tickets.length > 0) return;
  dependencies.writeError('No request waits for an approval.\n');
  dependencies.setExitCode(exitNothingFound);
}

function show(dependencies: LookingDependencies, desk: TicketDesk, id: string, flags: { json?: true }): void {
  const ticket = desk.read(id, dependencies.now().getTime());
  if (ticket === null) {
    dependencies.writeError(`${sanitiseLine(`There is no ticket ${id}.`)}\n`);
    dependencies.setExitCode(exitNothingFound);
    return;
  }
  dependencies.write(flags.json === undefined ? ticketPage(ticket) : `${sanitisedJson(ticket)}\n`);
}

type DecideFlags = { reason: string; json?: true };
type ApproveFlags = DecideFlags & { scope: string; uses: string; for?: string };

/** `skilltape approve`, `deny` and `revoke`: what a person decides at the command line. */
export function decisionCommands(
  dependencies: LookingDependencies,
  approvals: ApprovalsDependencies,
  grants: GrantsDependencies,
): Command[] {
  const command = (name: string, description: string): Command =>
    lookingCommand(name, dependencies, {
      exitCodes: `0 recorded, 1 no such ticket, 2 the command line is wrong, ${exitRefused} refused.`,
    })
      .description(description)
      .argument('<ticket>')
      .requiredOption('--reason <text>', 'why; recorded, and told to whoever asked when it is a denial');
  const decide = (ticket: string, decision: () => Decision, flags: DecideFlags) =>
    tellingUsage(dependencies, () => decideOn(dependencies, approvals, ticket, decision(), flags));
  const onGrant = (id: string, kind: Decision['kind'], flags: DecideFlags & { for?: string }) =>
    tellingUsage(dependencies, () => decideOnGrant(dependencies, grants, id, kind, flags));
  return [
    command('approve', 'let a held request go on, or give the access or break-glass that is asked for')
      .option('--scope <scope>', `what it is good for: ${scopeKinds.join(', ')}; as far as policy offers it`, 'request')
      .option('--uses <count>', `how many requests of that scope, 1 to ${usesMax}`, '100')
      .option(
        '--for <minutes>',
        'how long it can be used; not longer than policy allows (30, or as long as was asked for)',
      )
      .action((ticket: string, flags: ApproveFlags) =>
        isGrantId(ticket)
          ? onGrant(ticket, 'approve', flags)
          : decide(ticket, () => approvalOf(dependencies, flags), flags),
      ),
    command('deny', 'refuse a held request for good, or what is asked for').action(
      (ticket: string, flags: DecideFlags) =>
        isGrantId(ticket)
          ? onGrant(ticket, 'deny', flags)
          : decide(ticket, () => ({ kind: 'deny', ...byOperator(dependencies, flags) }), flags),
    ),
    command('revoke', 'take back an approval, access or break-glass at once').action(
      (ticket: string, flags: DecideFlags) =>
        isGrantId(ticket)
          ? onGrant(ticket, 'revoke', flags)
          : decide(ticket, () => ({ kind: 'revoke', ...byOperator(dependencies, flags) }), flags),
    ),
  ];
}

function approvalOf(dependencies: LookingDependencies, flags: ApproveFlags): Decision {
  const uses = wholeNumber('--uses', flags.uses, 1, usesMax);
  const forMs = durationMs('--for', flags.for ?? '30');
  return { kind: 'approve', ...byOperator(dependencies, flags), scope: scopeOf(flags.scope), uses, forMs };
}

function scopeOf(text: string): ScopeKind {
  const scope = scopeKinds.find((kind) => kind === text);
  if (scope !== undefined) return scope;
  throw new SkilltapeError('usage', `--scope "${text}" is not known`, {
    remedy: `give one of ${scopeKinds.join(', ')}`,
  });
}

const reasonMaxChars = 500;

function byOperator(
  { operator, maskQuery }: LookingDependencies,
  { reason }: DecideFlags,
): { by: Approver; reason: string } {
  if (reason.trim() === '' || reason.length > reasonMaxChars)
    throw new SkilltapeError('usage', `--reason has to have 1 to ${reasonMaxChars} characters`, {
      remedy: 'say in a sentence why',
    });
  return { by: approverOf(operator), reason: maskQuery(reason) };
}

function approverOf({ osUser, uid }: Operator): Extract<Approver, { kind: 'os' }> {
  return { kind: 'os', name: osUser, uid };
}

async function decideOn(
  dependencies: LookingDependencies,
  approvals: ApprovalsDependencies,
  id: string,
  decision: Decision,
  flags: DecideFlags,
): Promise<void> {
  recordLook(dependencies, 'decision', `${decision.kind} ${id}`, flags.reason);
  // Compiled first: a policy that is broken lets nobody decide.
  const policy = await approvals.policy();
  withTickets(approvals, (desk) => {
    const found = desk.read(id, dependencies.now().getTime());
    const {
      verdict,
      reasons,
      persons = [],
    } = found === null
      ? { verdict: 'allow', reasons: [] }
      : policy.console(asked(dependencies, approvals, found, flags));
    if (verdict !== 'allow') {
      for (const { rule, message } of reasons) dependencies.writeError(`${sanitiseLine(`${message} (${rule})`)}\n`);
      dependencies.setExitCode(exitRefused);
      return;
    }
    const by: Approver = { ...approverOf(dependencies.operator), persons };
    const decided = desk.decide(id, { ...decision, by }, dependencies.now().getTime());
    if (decided.kind === 'recorded') {
      const { ticket, state } = decided.ticket;
      dependencies.write(
        flags.json === undefined
          ? `${ticket} is ${wordsOf(decided.ticket)}\n`
          : `${sanitisedJson({ ticket, state })}\n`,
      );
      return;
    }
    dependencies.writeError(`${sanitiseLine(refusals[decided.why](id, decided.state))}\n`);
    dependencies.setExitCode(decided.why === 'not_found' ? exitNothingFound : exitRefused);
  });
}

/** The question to policy `console`: may this operator decide about a request of this person. */
function asked(
  { operator, now }: LookingDependencies,
  { groups }: ApprovalsDependencies,
  { summary, events, terms }: Ticket,
  { reason }: DecideFlags,
): ConsoleInput {
  const exchange = events.find((event) => event.kind === 'waiting')?.exchangeId ?? '';
  return {
    version: 1,
    action: 'decide',
    operator: { kind: 'os', name: operator.osUser, uid: operator.uid, groups: groups() },
    person: personOf(summary.person),
    ...{ connection: summary.connection, session: summary.session, exchange, retention_class: '' },
    ...{ types: [], values: 0, reason },
    last_hour: { operator_values: 0, person_values: 0 },
    time: now().toISOString(),
    approvers: approverListsOf(terms),
  };
}

function personOf(person: Ticket['summary']['person']): ConsoleInput['person'] {
  if (person === null) return null;
  const { issuer, subject, email } = person;
  return { issuer, subject, email, groups: [] };
}

function wordsOf({ state, terms }: Ticket): string {
  if (state.kind !== 'pending') return state.kind;
  return `approved by ${state.approvals.length} of ${terms.quorum}; it waits for the others`;
}

const refusals: Record<Extract<Decided, { kind: 'refused' }>['why'], (id: string, state: string) => string> = {
  not_found: (id) => `There is no ticket ${id}. \`skilltape approvals\` lists those that wait.`,
  not_open: (id, state) => `${id} cannot be decided any more: it is ${state}.`,
  approved_before: (id) => `You have approved ${id} already; somebody else has to.`,
  scope_not_offered: (id) =>
    `Policy does not offer that scope for ${id}. \`skilltape approvals ${id}\` shows what it offers.`,
};

function withTickets({ openTickets }: ApprovalsDependencies, use: (desk: TicketDesk) => void): void {
  const desk = openTickets();
  try {
    use(desk);
  } finally {
    desk.close();
  }
}
