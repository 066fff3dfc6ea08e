import { open } from 'node:fs/promises';
import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { SkilltapeError } from '../errors.ts';
import { nodeFileSystem } from '../journal/node-fs.ts';
import { backupKeys, backupMaxBytes } from '../keys/backup.ts';
import { nodeKeyFiles } from '../keys/files.ts';
import { keyPlaces } from '../keys/places.ts';
import { restoreKeys } from '../keys/restore.ts';
import { rotateMaster } from '../keys/rotate.ts';
import { keyStatus } from '../keys/status.ts';
import { tombstonesOf } from '../keys/tombstones.ts';
import { unwrapMaster, wrapMaster } from '../keys/wrapped-master.ts';
import { sanitisedJson } from '../terminal/sanitise.ts';
import { type LookingDependencies, lookingCommand, recordLook, tellingUsage } from './looking.ts';
import { keyFilesOf, masterOf, serviceOf } from './master-of.ts';

const exitDamaged = 1;
const exitCodes = '0 done, 1 failed or damage was found, 2 the command line is wrong.';

type Flags = { finish?: true; tombstones?: string; nobodyErased?: true; undo?: true; json?: true; why?: string };
type Run = (config: Config, file: string, flags: Flags) => Promise<object>;

/** `skilltape keys`: the keys of people and the master; each use is recorded as a look. */
export function keysCommand(dependencies: LookingDependencies, config: () => Config): Command {
  const command = (name: string, description: string, run: Run) => {
    const withFile = name.includes('<file>');
    const made = lookingCommand(name.split(' ')[0] ?? name, dependencies, { exitCodes }).description(description);
    if (withFile) made.argument('<file>', 'the backup');
    return made.action((...given: unknown[]) => {
      const [file, flags] = withFile ? [String(given[0]), given[1] as Flags] : ['', given[0] as Flags];
      return tellingUsage(dependencies, async () => {
        recordLook(dependencies, 'keys', [name.split(' ')[0], file].join(' ').trim(), flags.why);
        const told = await run(config(), file, flags);
        dependencies.write(flags.json ? `${sanitisedJson(told)}\n` : linesOf(told));
        if ('faults' in told && Array.isArray(told.faults) && told.faults.length > 0)
          dependencies.setExitCode(exitDamaged);
      });
    });
  };
  const locked =
    (run: Run): Run =>
    (settings, file, flags) =>
      withLock(settings.dataDirectory, () => run(settings, file, flags));
  return new Command('keys')
    .description('the keys of people: state, rotation of the master, backup and restore')
    .addCommand(command('status', 'say which keys there are, and whether all of them open', status))
    .addCommand(
      command('rotate', 'make a new master and seal the keys of people to it', locked(rotate)).option(
        '--finish',
        'make none, and drop the masters before the current one',
      ),
    )
    .addCommand(
      command(
        'wrap',
        'give master.key to the service for keys (keys.transit or keys.command), and remove it here',
        locked(wrap),
      ).option('--undo', 'put master.key back in its place'),
    )
    .addCommand(command('backup <file>', 'write the keys of people to a file, without the master', locked(backup)))
    .addCommand(
      command('restore <file>', 'bring back what is missing here, but nobody who was erased', locked(restore))
        .option('--tombstones <file>', 'who was erased, as kept elsewhere (`skilltape keys tombstones`)')
        .option('--nobody-erased', 'nobody was erased since the backup was made'),
    )
    .addCommand(tombstonesCommand(dependencies, config));
}

const status: Run = (config) => keyStatus(config.dataDirectory, keyFilesOf(config));

const rotate: Run = (config, _, { finish = false }) =>
  rotateMaster({ dataDirectory: config.dataDirectory, finish, files: keyFilesOf(config) });

const wrap: Run = async (config, _, { undo }) => {
  const service = serviceOf(config);
  if (service === null)
    throw new SkilltapeError('usage', 'there is no service for keys', {
      remedy: 'name one: keys.transit or keys.command in skilltape.yaml',
    });
  if (undo) {
    await unwrapMaster(nodeKeyFiles, keyPlaces(config.dataDirectory), service);
    return { file: 'master.key is back in its place; copy it elsewhere' };
  }
  const { masterId } = await wrapMaster(nodeKeyFiles, keyPlaces(config.dataDirectory), service);
  return { masterId, service: service.name, file: 'master.wrapped: copy it elsewhere; master.key was removed' };
};

const backup: Run = async ({ dataDirectory }, file) => {
  const { bytes, pairs } = await backupKeys({ dataDirectory });
  try {
    // As a key: for its owner alone, and never over another one.
    const handle = await open(file, 'wx', 0o600);
    await handle.writeFile(bytes);
    await handle.sync();
    await handle.close();
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST')) throw thrown;
    throw new SkilltapeError('usage', `${file} is there already`, { remedy: 'name a file that does not exist yet' });
  }
  return { file, keys: pairs, master: 'not in it: keep keys/master.key elsewhere' };
};

async function restore(config: Config, file: string, flags: Flags): Promise<object> {
  const { dataDirectory } = config;
  const { tombstones: tombstonesFile, nobodyErased } = flags;
  return restoreKeys({
    dataDirectory,
    backup: await readWhole(file),
    backupName: file,
    backupMaxAgeDays: config.keys.backupMaxAgeDays,
    ...(nobodyErased && { tombstones: null }),
    ...(tombstonesFile !== undefined && { tombstones: await readWhole(tombstonesFile) }),
    master: masterOf(config),
  });
}

function tombstonesCommand(dependencies: LookingDependencies, config: () => Config): Command {
  return lookingCommand('tombstones', dependencies, { exitCodes })
    .description('who was erased, as hashes, one JSON document per line, to be kept elsewhere')
    .action(async (flags: Flags) => {
      recordLook(dependencies, 'keys', 'tombstones', flags.why);
      const places = keyPlaces(config().dataDirectory);
      const { files } = await tombstonesOf({ places, files: nodeKeyFiles })();
      for (const bytes of files) dependencies.write(bytes.toString('utf8'));
    });
}

async function readWhole(file: string): Promise<Buffer> {
  const found = await nodeKeyFiles.read(file, backupMaxBytes);
  if (found !== undefined) return found.bytes;
  throw new SkilltapeError('usage', `there is no file ${file}`, { remedy: 'name a file that this user can read' });
}

async function withLock<T>(dataDirectory: string, run: () => Promise<T>): Promise<T> {
  const { directory } = keyPlaces(dataDirectory);
  await nodeFileSystem.makeDirectory(directory);
  const lock = await nodeFileSystem.lock(directory);
  if (lock.status === 'held')
    throw new SkilltapeError('usage', `the keys in ${directory} are in use by ${lock.holder}`, {
      remedy: 'wait for the other `skilltape keys` command to end',
    });
  try {
    return await run();
  } finally {
    await lock.release();
  }
}

function linesOf(told: object): string {
  return Object.entries(told)
    .map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join('; ') || 'none' : String(value)}\n`)
    .join('');
}
