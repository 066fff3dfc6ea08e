/** The thread that reads large bodies: one question, one reply. */
import { parentPort, workerData } from 'node:worker_threads';
import { SkilltapeError } from '../errors.ts';
import type { FindingsSearch } from '../exchange/body.ts';
import { readHere } from '../exchange/reader.ts';
import { collectGarbage, freeBuffer, largeMinBytes } from '../large-work.ts';
import type { JournalPlace, Question, Reply } from './protocol.ts';
import { StoredBodies } from './stored-bodies.ts';

const stored = new StoredBodies(workerData as JournalPlace | null);

async function replyTo(question: Question): Promise<Reply> {
  const isLarge = question.bytes.length >= largeMinBytes;
  try {
    await stored.fill(question);
    const letGo = () => freeBuffer(question.bytes);
    const answered = readHere(question.kind, (await equipped(question)) as never, question.bytes, letGo);
    if (isLarge) collectGarbage();
    return { answered };
  } catch (thrown) {
    const code = thrown instanceof SkilltapeError ? thrown.code : 'internal';
    return { failed: thrown instanceof Error ? thrown.name : typeof thrown, code };
  }
}

/** What is asked, with what only this thread has; loaded when it is first needed. */
async function equipped({ kind, asked }: Question): Promise<Question['asked']> {
  if (kind === 'held') return { ...asked, mask: (await import('../exchange/summary-mask.ts')).maskedSummary };
  return 'findingsMaxChars' in asked ? { ...asked, search: await findingsSearch() } : asked;
}

/** Where no policy looks at findings, no thread has it. */
async function findingsSearch(): Promise<FindingsSearch> {
  return (await import('../exchange/request-findings.ts')).findingsSearch;
}

parentPort?.on('message', (question: Question) => {
  void replyTo(question).then((reply) => {
    parentPort?.postMessage(reply);
    // Not before: an answer may be the bytes that were asked about.
    freeBuffer(question.bytes);
  });
});
