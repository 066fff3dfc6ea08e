import { Command, type CommanderError } from 'commander';
import { SkilltapeError } from '../errors.ts';
import type { IndexSearch, IndexUsage } from '../index/port.ts';
import type { LookKind, LookLog } from '../looks/look-log.ts';
import type { Operator } from '../looks/operator.ts';
import type { FindingType } from '../masking/finding.ts';
import type { Masked } from '../masking/masked.ts';
import { sanitise } from '../terminal/sanitise.ts';

/** The reading side of the configured index. */
export type OpenIndex = IndexSearch & IndexUsage & { close(): Promise<void> };

/** What the commands that show recorded things need from the program around them. */
export type LookingDependencies = {
  openIndex(): Promise<OpenIndex>;
  lookLog: LookLog;
  operator: Operator;
  maskQuery(text: string): Masked<string>;
  /** Types that the operator's own detectors give. */
  ownTypes(): readonly FindingType[];
  /** Standard output and standard error. */
  write(text: string): void;
  writeError(text: string): void;
  setExitCode(code: number): void;
  /** Ends the program at once: after the help, and after flags that cannot be read. */
  exit(code: number): never;
  color: boolean;
  /** Columns of the terminal. */
  width: number;
  now(): Date;
};

export const exitNothingFound = 1;
export const exitUsage = 2;

const usualExitCodes = '0 found, 1 nothing found, 2 the command line is wrong.';

/** A sub-command whose mistakes on the command line end with status 2; 1 means that nothing was found, unless told otherwise. */
export function lookingCommand(
  name: string,
  dependencies: LookingDependencies,
  { exitCodes = usualExitCodes, needsReason = false }: { exitCodes?: string; needsReason?: boolean } = {},
): Command {
  const command = new Command(name).option('--json', 'print JSON, one document per line');
  const reasoned = needsReason
    ? command.requiredOption('--reason <reason>', 'why it is done; recorded with it')
    : command.option('--why <reason>', 'why you look; recorded with the look');
  return reasoned
    .addHelpText('after', `\nExit codes: ${exitCodes}`)
    .configureOutput({
      writeOut: dependencies.write,
      writeErr: (text) => dependencies.writeError(sanitise(text)),
    })
    .exitOverride((error: CommanderError) => dependencies.exit(error.exitCode === 0 ? 0 : exitUsage));
}

/** Runs one command; a mistake of the person who typed is told with its remedy, every other failure is thrown on. */
export async function tellingUsage(dependencies: LookingDependencies, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (thrown) {
    if (!(thrown instanceof SkilltapeError) || thrown.code !== 'usage') throw thrown;
    const remedy = thrown.remedy === undefined ? '' : `\n${thrown.remedy}`;
    dependencies.writeError(`${sanitise(`${thrown.message}${remedy}`)}\n`);
    dependencies.setExitCode(exitUsage);
  }
}

/** Records the look (inv. 8); must be called, and must have returned, before anything is read or shown. */
export function recordLook(
  { lookLog, operator, maskQuery }: LookingDependencies,
  what: LookKind,
  subject: string,
  why: string | undefined,
): void {
  lookLog.record({
    who: operator,
    what,
    subject: maskQuery(subject),
    ...(why === undefined ? {} : { why: maskQuery(why) }),
  });
}

/** Gives the index to `use` and closes it whatever happens. */
export async function withIndex<T>(
  dependencies: LookingDependencies,
  use: (index: IndexSearch & IndexUsage) => Promise<T>,
): Promise<T> {
  const index = await dependencies.openIndex();
  try {
    return await use(index);
  } finally {
    await index.close();
  }
}

/** A whole number of a flag. Throws SkilltapeError `usage`. */
export function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new SkilltapeError('usage', `${flag} "${text}" is not a whole number from ${min} to ${max}`, {
    remedy: `write for example ${flag} ${Math.min(max, 20)}`,
  });
}
