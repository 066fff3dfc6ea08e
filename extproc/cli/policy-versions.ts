import type { Command } from 'commander';
import { SkilltapeError } from '../errors.ts';
import { sanitise, sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import { differenceOf } from '../versions/difference.ts';
import { KeptVersions, type VersionKind, versionKinds } from '../versions/kept.ts';
import { type FileChange, type VersionEntry, VersionLog } from '../versions/version-log.ts';
import { exitUsage } from './looking.ts';

export type VersionDependencies = {
  dataDirectory(): string;
  write(text: string): void;
  writeError(text: string): void;
  setExitCode(code: number): void;
};

const exitCodes = '\nExit codes: 0 shown, 2 the command line is wrong, or such a version is not kept.';

/** Adds to `skilltape policy`: what was in force, and how two versions differ. */
export function withVersionCommands(policy: Command, dependencies: VersionDependencies): Command {
  const { write } = dependencies;
  policy
    .command('log')
    .description('show which policies and configurations were in force, when and by whom, newest first')
    .option('--json', 'print JSON, one entry per line')
    .addHelpText('after', exitCodes)
    .exitOverride(endWithUsage)
    .action(({ json }: { json?: true }) =>
      tellingFaults(dependencies, async () => {
        const { entries, unreadable } = await new VersionLog(dependencies.dataDirectory()).list();
        for (const entry of entries.toReversed())
          write(json === undefined ? lines(entry) : `${sanitisedJson(entry)}\n`);
        if (unreadable > 0)
          dependencies.writeError(`${unreadable} lines of the list cannot be read and are left out\n`);
      }),
    );
  policy
    .command('diff')
    .description('show how two policies, or two configurations, differ that were in force')
    .argument('<hash>', 'from this one; 8 digits or more of a hash of `skilltape policy log`')
    .argument('<hash>', 'to this one')
    .addHelpText('after', exitCodes)
    .exitOverride(endWithUsage)
    .action((from: string, to: string) =>
      tellingFaults(dependencies, async () => {
        const [before, after] = [await find(dependencies, from), await find(dependencies, to)];
        if (before.kind !== after.kind) {
          throw new SkilltapeError('usage', `${from} is of ${before.kind}, ${to} of ${after.kind}: nothing to compare`);
        }
        const difference = differenceOf(await before.versions.read(before.hash), await after.versions.read(after.hash));
        write(difference === '' ? 'No difference.\n' : sanitise(difference));
      }),
    );
  return policy;
}

function endWithUsage({ exitCode }: { exitCode: number }): never {
  process.exit(exitCode === 0 ? 0 : exitUsage);
}

const digitsMin = 8;

async function find({ dataDirectory }: VersionDependencies, text: string) {
  const begin = text.replace(/^sha256:/, '').toLowerCase();
  if (!/^[0-9a-f]{8,64}$/.test(begin)) {
    throw new SkilltapeError('usage', `"${text}" is no hash: ${digitsMin} to 64 hexadecimal digits`);
  }
  const found: { kind: VersionKind; hash: string; versions: KeptVersions }[] = [];
  for (const kind of versionKinds) {
    const versions = new KeptVersions(dataDirectory(), kind, 1);
    for (const hash of await versions.list()) if (hash.startsWith(begin)) found.push({ kind, hash, versions });
  }
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  throw new SkilltapeError(
    'usage',
    `${found.length === 0 ? 'no' : 'more than one'} kept version begins with ${begin}`,
    {
      remedy: '`skilltape policy log` lists what was in force; of the oldest only the list remains.',
    },
  );
}

/** One for the change, and one for each file. */
function lines({ time, kind, cause, hash, previous, process, files, changes }: VersionEntry): string {
  const what = { policies: 'policy', configurations: 'configuration' }[kind];
  const after = previous === null ? 'the first one' : `after ${previous.slice(0, hashShown)}`;
  const head = `${time}  ${what} ${hash.slice(0, hashShown)}  ${causes[cause]}, ${after}  (${process.osUser}, uid ${process.uid})`;
  const rest = changes > files.length && files.length > 0 ? [`  and ${changes - files.length} files more`] : [];
  return [head, ...files.map(fileLine), ...rest].map((line) => `${sanitiseLine(line)}\n`).join('');
}

const hashShown = 12;
const causes: Record<VersionEntry['cause'], string> = {
  start: 'at a start',
  kept_at_start: 'kept at a start with faulty files',
  edit: 'edited',
};

function fileLine({ path, change, uid, owner, modified }: FileChange): string {
  const whose =
    uid === null ? '' : `, of ${owner === '' ? 'an account without a name' : owner} (uid ${uid}), ${modified}`;
  return `  ${change} ${path}${whose}`;
}

/** A mistake of the person who typed is told with its remedy. */
async function tellingFaults(
  { writeError, setExitCode }: VersionDependencies,
  run: () => Promise<void>,
): Promise<void> {
  try {
    await run();
  } catch (thrown) {
    if (!(thrown instanceof SkilltapeError) || thrown.code !== 'usage') throw thrown;
    writeError(`${sanitise([thrown.message, thrown.remedy ?? ''].join('\n').trim())}\n`);
    setExitCode(exitUsage);
  }
}
