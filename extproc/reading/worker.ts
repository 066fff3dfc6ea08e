/** The thread that reads large bodies: one question, one reply. */
import { parentPort } from 'node:worker_threads';
import { readHere } from '../exchange/reader.ts';
import type { Question, Reply } from './protocol.ts';

function replyTo({ kind, asked, bytes }: Question): Reply {
  try {
    return { answered: readHere(kind, asked as never, bytes) };
  } catch (thrown) {
    return { failed: thrown instanceof Error ? thrown.name : typeof thrown };
  }
}

parentPort?.on('message', (question: Question) => parentPort?.postMessage(replyTo(question)));
