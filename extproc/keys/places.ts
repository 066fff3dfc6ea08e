/** Where the files of the keys stand below `<dataDirectory>/keys`. */
import { join } from 'node:path';

export type KeyPlaces = {
  directory: string;
  /** The private halves of the master, mode 600: for readers alone. */
  master: string;
  /** The public half of the master, for writers. */
  masterPublic: string;
  /** The keys of the hashes by which the files of persons are named. */
  names: string;
  persons: string;
  erased: string;
};

export function keyPlaces(dataDirectory: string): KeyPlaces {
  const directory = join(dataDirectory, 'keys');
  return {
    directory,
    master: join(directory, 'master.key'),
    masterPublic: join(directory, 'master.pub'),
    names: join(directory, 'person-names.key'),
    persons: join(directory, 'persons'),
    erased: join(directory, 'erased'),
  };
}
