import { archiveDirectory } from '../archive/places.ts';
import { ArchiveReader } from '../archive/reader.ts';
import type { Config } from '../config/config.ts';
import { nodeFileSystem } from '../journal/node-fs.ts';
import { masterFromFile } from '../keys/master.ts';
import { openOpener } from '../keys/opener.ts';

/** The archive of this node, for whoever has the master key. */
export function archiveOf({ dataDirectory }: Config): ArchiveReader {
  const opener = openOpener({ dataDirectory, master: masterFromFile(dataDirectory) });
  return new ArchiveReader({ directory: archiveDirectory(dataDirectory), fileSystem: nodeFileSystem, opener });
}
