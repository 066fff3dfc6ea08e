import type { Command } from 'commander';
import type { RecordedLook } from '../looks/look-log.ts';
import { sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import { type LookingDependencies, lookingCommand, recordLook, tellingUsage, wholeNumber } from './looking.ts';

type Flags = { limit: string; json?: true; why?: string };

const limitDefault = 100;
const limitMax = 100_000;

/** `skilltape looks`: who looked at what; looking at this list is a look too, so it is never empty. */
export function looksCommand(dependencies: LookingDependencies): Command {
  return lookingCommand('looks', dependencies)
    .description('show who looked at what, newest first')
    .option('--limit <count>', `1 to ${limitMax}`, String(limitDefault))
    .action((flags: Flags) => tellingUsage(dependencies, async () => looks(dependencies, flags)));
}

function looks(dependencies: LookingDependencies, flags: Flags): void {
  const limit = wholeNumber('--limit', flags.limit, 1, limitMax);
  recordLook(dependencies, 'looks', 'the list of looks', flags.why);
  for (const look of dependencies.lookLog.list(limit))
    dependencies.write(`${flags.json === undefined ? lineOf(look) : sanitisedJson(look)}\n`);
}

function lineOf({ number, time, who, what, subject, why }: RecordedLook): string {
  const because = why === undefined ? '' : `  (why: ${why})`;
  return sanitiseLine(`${number}  ${time}  ${whoLooked(who)}  ${what}  ${subject}${because}`);
}

function whoLooked(who: RecordedLook['who']): string {
  if (!('osUser' in who)) return `${who.name} (${who.subject} of ${who.issuer}, from ${who.address})`;
  const sudo = who.sudoUser === undefined ? '' : `, sudo by ${who.sudoUser}`;
  return `${who.osUser} (uid ${who.uid}${sudo})`;
}
