import { workerData } from 'node:worker_threads';
import { SqliteIndex } from '../../../../extproc/index/sqlite/writer.ts';
import { documentOf } from '../../../builders/document.ts';

/** A second thread that fills the index, for the test of a reader beside it. */
const { directory, count } = workerData as { directory: string; count: number };
const index = SqliteIndex.open(directory);
for (let number = 0; number < count; number++) {
  const [delivery] = await index.deliver([documentOf({ id: `e-${number}`, input: 'common' })]);
  if (delivery?.kind !== 'accepted') throw new Error(`delivery was ${delivery?.kind}`);
}
await index.close();
