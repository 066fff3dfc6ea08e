import { Command } from 'commander';
import { SkilltapeError } from '../errors.ts';
import { openStores } from '../retention/gather.ts';
import { type Hold, type HoldScope, matchingOf, needsIndex } from '../retention/hold.ts';
import type { RetentionParts } from '../retention/parts.ts';
import { sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import { askedBy, personGiven } from './asked.ts';
import { exitNothingFound, type LookingDependencies, lookingCommand, recordLook, tellingUsage } from './looking.ts';
import { momentHelp, rangeEnd, rangeStart } from './moment.ts';
import type { WithRetention } from './retention-of.ts';

type AddFlags = {
  person?: string[];
  session?: string;
  connection?: string;
  from?: string;
  to?: string;
  json?: true;
  reason: string;
};

/** `skilltape hold`: legal holds, which win over retention and erasing. */
export function holdCommand(dependencies: LookingDependencies, withRetention: WithRetention): Command {
  return new Command('hold')
    .description('legal holds: what they cover is neither swept nor erased')
    .addCommand(addCommand(dependencies, withRetention))
    .addCommand(listCommand(dependencies, withRetention))
    .addCommand(releaseCommand(dependencies, withRetention));
}

function addCommand(dependencies: LookingDependencies, withRetention: WithRetention): Command {
  return lookingCommand('add', dependencies, {
    exitCodes: '0 the hold is in force, 2 the command line is wrong.',
    needsReason: true,
  })
    .description('keep what matches all that is given, whatever its age')
    .option('--person <issuer-and-subject...>', 'a person: the issuer and the subject of the tokens')
    .option('--session <id>', 'session id')
    .option('--connection <name>', 'name of the connection')
    .option('--from <time>', `not before: ${momentHelp}`)
    .option('--to <time>', 'before; a plain date includes that day')
    .action((flags: AddFlags) =>
      tellingUsage(dependencies, async () => {
        const scope = scopeOf(flags, dependencies.now());
        recordLook(dependencies, 'hold', `add\n${scopeText(scope)}`, flags.reason);
        const { by, reason } = askedBy(dependencies, flags.reason);
        const { hold, away } = await withRetention(async (parts) => {
          const { id } = await parts.holds.add(scope, by, reason);
          return covered(parts, id, scope);
        });
        tell(dependencies, [hold], flags.json);
        if (away !== null)
          dependencies.writeError(
            `${sanitiseLine(`Which days it covers is found when the index is back; until then nothing of the archive goes: ${away}`)}\n`,
          );
      }),
    );
}

/** At once, so that an index that is lost later does not take the hold's days with it. */
async function covered(parts: RetentionParts, id: string, scope: HoldScope) {
  const { index, away, close } = await openStores(parts);
  try {
    const found = needsIndex(scope) ? await index?.daysWith(matchingOf(scope, parts.idsOf)) : [];
    return { hold: await parts.holds.cover(id, found ?? []), away: away.index ?? null };
  } catch (thrown) {
    return { hold: await parts.holds.cover(id, []), away: SkilltapeError.from(thrown).message };
  } finally {
    await close();
  }
}

function listCommand(dependencies: LookingDependencies, withRetention: WithRetention): Command {
  return lookingCommand('list', dependencies)
    .description('list the holds in force')
    .option('--all', 'released ones too')
    .action((flags: { all?: true; json?: true; why?: string }) =>
      tellingUsage(dependencies, async () => {
        recordLook(dependencies, 'hold', 'list', flags.why);
        const holds = await withRetention(async (parts) => (flags.all ? parts.holds.list() : parts.holds.inForce()));
        tell(dependencies, holds, flags.json);
        if (holds.length === 0) dependencies.setExitCode(exitNothingFound);
      }),
    );
}

function releaseCommand(dependencies: LookingDependencies, withRetention: WithRetention): Command {
  return lookingCommand('release', dependencies, {
    exitCodes: '0 it is released, 2 the command line is wrong.',
    needsReason: true,
  })
    .description('end a hold; what is due by then goes with the next sweep')
    .argument('<id>', 'id of the hold')
    .action((id: string, flags: { json?: true; reason: string }) =>
      tellingUsage(dependencies, async () => {
        recordLook(dependencies, 'hold', `release\n${id}`, flags.reason);
        const { by, reason } = askedBy(dependencies, flags.reason);
        tell(dependencies, [await withRetention((parts) => parts.holds.release(id, by, reason))], flags.json);
      }),
    );
}

/** Throws SkilltapeError `usage`. */
function scopeOf({ person, session, connection, from, to }: AddFlags, now: Date): HoldScope {
  const scope: HoldScope = {
    ...(person !== undefined && { person: personGiven(person) }),
    ...(session !== undefined && { session }),
    ...(connection !== undefined && { connection }),
    ...(from !== undefined && { fromMs: rangeStart('--from', from, now).getTime() }),
    ...(to !== undefined && { toMs: rangeEnd('--to', to, now).getTime() }),
  };
  if (Object.keys(scope).length === 0)
    throw new SkilltapeError('usage', 'nothing is named that is to be held', {
      remedy: 'give --person, --session, --connection, --from or --to',
    });
  if ((scope.fromMs ?? 0) >= (scope.toMs ?? Number.POSITIVE_INFINITY))
    throw new SkilltapeError('usage', '--from is not before --to', { remedy: 'swap them, or leave one out' });
  return scope;
}

function tell({ write }: LookingDependencies, holds: readonly Hold[], json: true | undefined): void {
  for (const hold of holds) write(json ? `${sanitisedJson(hold)}\n` : `${holdText(hold)}\n`);
}

function holdText({ id, scope, addedMs, by, reason, covered: days, released }: Hold): string {
  const told = [`${id}  since ${new Date(addedMs).toISOString()} by ${by}: ${reason}`, scopeText(scope)];
  if (needsIndex(scope)) told.push(`days that it keeps: ${days.length}`);
  if (released !== null)
    told.push(`released ${new Date(released.timeMs).toISOString()} by ${released.by}: ${released.reason}`);
  return told
    .flatMap((text) => text.split('\n'))
    .map(sanitiseLine)
    .join('\n  ');
}

function scopeText({ person, session, connection, fromMs, toMs }: HoldScope): string {
  const time = (ms: number) => new Date(ms).toISOString();
  return [
    ...(person === undefined ? [] : [`person: ${person.issuer} ${person.subject}`]),
    ...(session === undefined ? [] : [`session: ${session}`]),
    ...(connection === undefined ? [] : [`connection: ${connection}`]),
    ...(fromMs === undefined ? [] : [`from: ${time(fromMs)}`]),
    ...(toMs === undefined ? [] : [`to: ${time(toMs)}`]),
  ].join('\n');
}
