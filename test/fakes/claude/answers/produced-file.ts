/** The file that the fake's code execution writes: a small table, or as many bytes as a directive asks for. */
import type { PartContext } from './part-context.ts';

export const PRODUCED_CSV = 'region,revenue\nnorth,1200\nsouth,800\n';

/** Keeps the file and gives its id. */
export function produceFile({ resources, producedFileBytes }: PartContext): string {
  const bytes =
    producedFileBytes === undefined ? Buffer.from(PRODUCED_CSV) : Buffer.alloc(producedFileBytes, PRODUCED_CSV);
  return resources.files.add({ filename: 'revenue.csv', mimeType: 'text/csv', bytes }).id;
}
