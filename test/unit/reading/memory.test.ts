import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createThreadedReader } from '../../../extproc/reading/threaded-reader.ts';
import { messagesBody } from '../../builders/messages-body.ts';
import { forgetPeak, processMemory } from '../../environment/process-memory.ts';
import { messagesPlace as place } from './place.ts';

const bodyBytes = 48 * 1024 * 1024;

/** JSON of this size, made where it is to be: nothing else of that size is in memory. */
function largeBody(): Uint8Array<ArrayBuffer> {
  const [head = '', tail = ''] = messagesBody('|').split('|');
  const bytes = new Uint8Array(bodyBytes).fill(0x61);
  bytes.set(Buffer.from(head));
  bytes.set(Buffer.from(tail), bodyBytes - tail.length);
  return bytes;
}

test('a large body takes twice its size while it is read: as bytes and as text, then as text and as value', async () => {
  const reader = createThreadedReader();
  const joined = () => assert.fail('it is to be read in a thread');
  const beginning = new Uint8Array(Buffer.from(messagesBody('x'.repeat(3_000_000))));
  // The thread begins with the first one.
  await reader.read('body', place, { bytes: beginning.length, stored: null, joined, copied: () => beginning });
  forgetPeak(process.pid);
  const before = processMemory(process.pid).residentBytes;
  const read = await reader.read('body', place, { bytes: bodyBytes, stored: null, joined, copied: largeBody });
  const grownBytes = processMemory(process.pid).peakBytes - before;
  await reader.close();
  assert.equal(read.fault, '');
  assert.ok(grownBytes < 2.5 * bodyBytes, `${grownBytes / bodyBytes} times its size`);
});
