import { archiveDirectory } from '../archive/places.ts';
import { ArchiveReader } from '../archive/reader.ts';
import type { Config } from '../config/config.ts';
import { nodeFileSystem } from '../journal/node-fs.ts';
import { openOpener } from '../keys/opener.ts';
import { masterOf } from './master-of.ts';

/** The archive of this node, for whoever has the master key. */
export function archiveOf(config: Config, of: 'exchanges' | 'metadata' = 'exchanges'): ArchiveReader {
  const { dataDirectory } = config;
  const opener = openOpener({ dataDirectory, master: masterOf(config) });
  return new ArchiveReader({ directory: archiveDirectory(dataDirectory), fileSystem: nodeFileSystem, opener, of });
}
