/** Loaded into each thread of a processor that is to index without archiving: no configuration can ask for that. */
import { Archive } from '../../extproc/archive/archive.ts';

Archive.prototype.archive = async () => {};
