/** Far below the 100 MB that Elasticsearch takes in one request, and what its own documentation calls a good size. */
export const batchMaxBytes = 5_000_000;
export const batchMaxDocuments = 500;

/** In order; what is larger than a batch by itself stands alone. */
export function batchesOf<T extends { bytes: number }>(
  documents: readonly T[],
  maxBytes: number = batchMaxBytes,
  maxDocuments: number = batchMaxDocuments,
): T[][] {
  const batches: T[][] = [];
  let bytes = 0;
  for (const document of documents) {
    const batch = batches.at(-1);
    if (batch === undefined || batch.length === maxDocuments || bytes + document.bytes > maxBytes) {
      batches.push([document]);
      bytes = document.bytes;
    } else {
      batch.push(document);
      bytes += document.bytes;
    }
  }
  return batches;
}
