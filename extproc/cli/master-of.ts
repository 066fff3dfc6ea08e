import type { Config } from '../config/config.ts';
import { commandWrap } from '../keys/command.ts';
import { type KeyFiles, nodeKeyFiles } from '../keys/files.ts';
import { masterFromFile } from '../keys/master.ts';
import type { MasterKey } from '../keys/opener.ts';
import { keyPlaces } from '../keys/places.ts';
import { transitWrap } from '../keys/transit.ts';
import { type MasterWrap, withWrappedMaster } from '../keys/wrapped-master.ts';

type Keys = Pick<Config, 'dataDirectory' | 'keys'>;

/** The service for keys that the configuration names; null where the master is a file. */
export function serviceOf({ keys: { transit, command } }: Keys): MasterWrap | null {
  if (transit !== undefined) return transitWrap(transit, nodeKeyFiles);
  if (command === undefined) return null;
  const { argv, passEnvironment, timeoutMs } = command;
  const names = ['PATH', 'HOME', 'LANG', 'TZ', ...passEnvironment];
  const env = Object.fromEntries(names.flatMap((name) => (name in process.env ? [[name, process.env[name]]] : [])));
  return commandWrap({ argv, env, timeoutMs });
}

/** The files of the keys, with the master as the service for keys has it where there is one. */
export function keyFilesOf(config: Keys): KeyFiles {
  const service = serviceOf(config);
  return service === null ? nodeKeyFiles : withWrappedMaster(nodeKeyFiles, keyPlaces(config.dataDirectory), service);
}

export function masterOf(config: Keys): MasterKey {
  return masterFromFile(config.dataDirectory, keyFilesOf(config));
}
