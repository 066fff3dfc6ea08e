import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { assertModes, readMessage } from '../../../extproc/wire/frame.ts';
import { processMethod } from './independent.ts';

/** Bytes of a real Envoy 1.40, with the frames that they are; frames.json says how each came about. */
const directory = new URL('../../fixtures/frames/', import.meta.url);

type Message = { file: string; first: boolean; frame: Record<string, unknown> };
type Captured = { exchanges: { name: string; about: string; messages: Message[] }[] };
const { exchanges } = JSON.parse(readFileSync(new URL('frames.json', directory), 'utf8')) as Captured;

function bytesOf(file: string): Buffer {
  return readFileSync(new URL(file, directory));
}

/** Bodies as text and objects as JSON has them: those of frames have no prototype. */
function comparable(frame: object): unknown {
  const body = 'body' in frame ? { body: Buffer.from(frame.body as Uint8Array).toString() } : {};
  return JSON.parse(JSON.stringify({ ...frame, ...body }));
}

for (const { name, about, messages } of exchanges) {
  test(`${name} (${about}) decodes to its frames`, () => {
    for (const { file, frame, first } of messages) {
      const message = readMessage(bytesOf(file));
      assert.deepEqual(comparable(message.frame), frame, file);
      if (first) assert.doesNotThrow(() => assertModes(message));
      else assert.equal(message.requestBodyMode, 'NONE', 'only the first message has the modes');
    }
  });
}

test('the protocol file describes all that Envoy sent: encoding it again gives the same bytes', () => {
  for (const { file } of exchanges.flatMap(({ messages }) => messages)) {
    const bytes = bytesOf(file);
    const again = processMethod.requestSerialize(processMethod.requestDeserialize(bytes));
    assert.deepEqual(again, bytes, file);
  }
});

test('each captured file has its frames', () => {
  const named = exchanges.flatMap(({ messages }) => messages.map(({ file }) => file));
  const found = readdirSync(directory).filter((file) => file.endsWith('.bin'));
  assert.deepEqual(found.sort(), named.sort());
});

test('a message of Envoy that is cut anywhere is a violation or another frame', () => {
  const bytes = bytesOf('post-1.bin');
  for (let length = 0; length < bytes.length; length += 1) {
    try {
      readMessage(bytes.subarray(0, length));
    } catch (error) {
      assert.equal(SkilltapeError.from(error).code, 'protocol_violation');
    }
  }
});
