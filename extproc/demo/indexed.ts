import { SkilltapeError } from '../errors.ts';
import { SqliteSearch } from '../index/sqlite/search.ts';
import type { Masked } from '../masking/masked.ts';
import type { ExchangeDocument } from '../transcript/document.ts';

const timeoutMs = 20_000;
const pollMs = 25;

/** Waits until an exchange is in the index: shipping is behind the answer by design. */
export async function indexedDocument(dataDirectory: string, exchangeId: string): Promise<Masked<ExchangeDocument>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const document = await lookUp(dataDirectory, exchangeId);
    if (document !== null) return document;
    if (performance.now() > deadline) throw new Error(`exchange ${exchangeId} did not reach the index`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function lookUp(dataDirectory: string, exchangeId: string): Promise<Masked<ExchangeDocument> | null> {
  try {
    const index = SqliteSearch.open(dataDirectory);
    try {
      return await index.get(exchangeId);
    } finally {
      await index.close();
    }
  } catch (error) {
    // Until the first exchange is shipped the index is still being made.
    if (SkilltapeError.from(error).code === 'index_failed') return null;
    throw error;
  }
}
