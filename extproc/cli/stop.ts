import type { Command } from 'commander';
import { SkilltapeError } from '../errors.ts';
import type { Masked } from '../masking/masked.ts';
import type { ConsoleDecision, ConsoleInput } from '../policy/console.ts';
import {
  type NumberedStop,
  type StoppedBy,
  type StoppedSession,
  type StopTarget,
  stopperName,
} from '../stops/stops.ts';
import { sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import {
  exitNothingFound,
  type LookingDependencies,
  lookingCommand,
  recordLook,
  tellingUsage,
  withIndex,
} from './looking.ts';

/** What is stopped on this node (extproc/stops). */
export type StopDesk = {
  stop(target: StopTarget, by: StoppedBy, reason: string, timeMs: number): number;
  lift(session: string, by: StoppedBy, reason: string, timeMs: number): boolean;
  stopped(): StoppedSession[];
  since(number: number): NumberedStop[];
  close(): void;
};

export type StopDependencies = {
  openStops(): StopDesk;
  groups(): string[];
  policy(): Promise<{ console(input: ConsoleInput): ConsoleDecision }>;
};

const exitRefused = 3;
const reasonMaxChars = 500;
/** Each process heeds a stop within 250 ms, and then records the ends. */
const endedWaitMs = 1_500;
const endedPollMs = 100;

type Flags = { session?: string; reason?: string; lift?: true; list?: true; json?: true; why?: string };

/** `skilltape stop`: ends what runs, and refuses what comes of a session until it is lifted. */
export function stopCommand(dependencies: LookingDependencies, stops: StopDependencies): Command {
  const exitCodes = `0 recorded, 1 nothing there, 2 the command line is wrong, ${exitRefused} refused.`;
  return lookingCommand('stop', dependencies, { exitCodes })
    .description('end a running exchange, or all of a session, and refuse more of that session')
    .argument('[exchange]', 'id of a running exchange (x-skilltape-exchange)')
    .option('--session <id>', 'end all of this session, and refuse what comes of it until it is lifted')
    .option('--reason <text>', 'why; recorded, and told to whoever asked')
    .option('--lift', 'take requests of the session again')
    .option('--list', 'list the sessions that are stopped')
    .action((exchange: string | undefined, flags: Flags) =>
      tellingUsage(dependencies, async () => {
        if (flags.list) list(dependencies, stops, flags);
        else await decide(dependencies, stops, targetOf(exchange, flags), flags);
      }),
    );
}

function targetOf(exchange: string | undefined, { session, lift }: Flags): StopTarget {
  if ((exchange === undefined) === (session === undefined))
    throw new SkilltapeError('usage', 'neither or both of an exchange and --session are given', {
      remedy: 'give the id of a running exchange, or --session with the id of one',
    });
  if (exchange === undefined) return { kind: 'session', id: session ?? '' };
  if (lift) throw new SkilltapeError('usage', '--lift is of a session', { remedy: 'give --session with its id' });
  return { kind: 'exchange', id: exchange };
}

function list(dependencies: LookingDependencies, stops: StopDependencies, flags: Flags): void {
  recordLook(dependencies, 'stop', 'stopped sessions', flags.why);
  withStops(stops, (desk) => {
    const sessions = desk.stopped();
    for (const one of sessions) {
      const { session, by, reason, timeMs } = one;
      const line = `${session}  since ${new Date(timeMs).toISOString()}  by ${stopperName(by)}: ${reason}`;
      dependencies.write(`${flags.json === undefined ? sanitiseLine(line) : sanitisedJson(one)}\n`);
    }
    if (sessions.length > 0) return;
    dependencies.writeError('No session is stopped.\n');
    dependencies.setExitCode(exitNothingFound);
  });
}

async function decide(
  dependencies: LookingDependencies,
  stops: StopDependencies,
  target: StopTarget,
  flags: Flags,
): Promise<void> {
  const reason = reasonOf(flags.reason);
  const what = flags.lift ? 'lift' : 'stop';
  recordLook(dependencies, 'stop', `${what} ${target.kind} ${target.id}`, reason);
  // Compiled first: a policy that is broken lets nobody stop.
  const policy = await stops.policy();
  const input = asked(dependencies, stops, { target, reason, known: await knownOf(dependencies, target) });
  const { verdict, reasons } = policy.console(input);
  if (verdict !== 'allow') {
    for (const { rule, message } of reasons) dependencies.writeError(`${sanitiseLine(`${message} (${rule})`)}\n`);
    dependencies.setExitCode(exitRefused);
    return;
  }
  const { osUser, uid } = dependencies.operator;
  const masked = dependencies.maskQuery(reason);
  const desk = stops.openStops();
  try {
    const nowMs = dependencies.now().getTime();
    if (flags.lift) lifted(dependencies, target.id, desk.lift(target.id, { osUser, uid }, masked, nowMs));
    else await stopped(dependencies, desk, target, { stop: desk.stop(target, { osUser, uid }, masked, nowMs), flags });
  } finally {
    desk.close();
  }
}

function reasonOf(reason: string | undefined): string {
  if (reason !== undefined && reason.trim() !== '' && reason.length <= reasonMaxChars) return reason;
  throw new SkilltapeError('usage', `--reason has to have 1 to ${reasonMaxChars} characters`, {
    remedy: 'say in a sentence why',
  });
}

function lifted(dependencies: LookingDependencies, session: string, wasStopped: boolean): void {
  if (wasStopped) dependencies.write(`${sanitiseLine(`Requests of ${session} are taken again.`)}\n`);
  else {
    dependencies.writeError(`${sanitiseLine(`${session} is not stopped.`)}\n`);
    dependencies.setExitCode(exitNothingFound);
  }
}

async function stopped(
  dependencies: LookingDependencies,
  desk: StopDesk,
  target: StopTarget,
  { stop, flags }: { stop: number; flags: Flags },
): Promise<void> {
  const ended = await endedBy(desk, stop, target);
  if (flags.json !== undefined) dependencies.write(`${sanitisedJson({ ...target, ended })}\n`);
  else {
    const refused = target.kind === 'session' ? `${target.id} is stopped: what comes of it is refused. ` : '';
    const list = ended.length === 0 ? 'Nothing of it ran.' : `Ended: ${ended.join(' ')}`;
    dependencies.write(`${sanitiseLine(`${refused}${list}`)}\n`);
  }
  if (target.kind === 'exchange' && ended.length === 0) dependencies.setExitCode(exitNothingFound);
}

/** What each process says it ended; the one exchange that was meant is not waited for longer. */
async function endedBy(desk: StopDesk, stop: number, target: StopTarget): Promise<string[]> {
  const until = performance.now() + endedWaitMs;
  for (;;) {
    const ended = desk.since(stop).flatMap(({ event }) => {
      return event.kind === 'ended' && event.stop === stop ? [event.exchangeId] : [];
    });
    if (performance.now() > until || (target.kind === 'exchange' && ended.length > 0)) return ended;
    await new Promise((resolve) => setTimeout(resolve, endedPollMs));
  }
}

type Known = Masked<ExchangeDocument> | null;

/** What the index has of it. What runs is not there yet: then nobody and no connection is known. */
async function knownOf(dependencies: LookingDependencies, { kind, id }: StopTarget): Promise<Known> {
  try {
    return await withIndex(dependencies, async (index) => {
      if (kind === 'exchange') return index.get(id);
      const { documents } = await index.session(id);
      return documents[0] ?? null;
    });
  } catch (thrown) {
    // Nothing was recorded yet, or the index is away: a stop does not wait for it.
    if (thrown instanceof SkilltapeError && thrown.code === 'index_failed') return null;
    throw thrown;
  }
}

function asked(
  { operator, now }: LookingDependencies,
  { groups }: StopDependencies,
  { target, reason, known }: { target: StopTarget; reason: string; known: Known },
): ConsoleInput {
  return {
    version: 1,
    action: 'stop',
    operator: { kind: 'os', name: operator.osUser, uid: operator.uid, groups: groups() },
    ...{ person: personOf(known), connection: known?.skilltape.connection ?? '', retention_class: '' },
    session: target.kind === 'session' ? target.id : (known?.skilltape.session.id ?? ''),
    exchange: target.kind === 'exchange' ? target.id : '',
    ...{ types: [], values: 0, reason },
    last_hour: { operator_values: 0, person_values: 0 },
    time: now().toISOString(),
  };
}

function personOf(known: Known): ConsoleInput['person'] {
  const user = known?.user ?? null;
  return user === null ? null : { issuer: user.domain, subject: user.id, email: user.email, groups: user.roles };
}

function withStops(stops: StopDependencies, use: (desk: StopDesk) => void): void {
  const desk = stops.openStops();
  try {
    use(desk);
  } finally {
    desk.close();
  }
}
