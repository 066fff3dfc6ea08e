import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Action } from '../../../extproc/exchange/frame.ts';
import type { GrpcStream } from '../../../extproc/wire/grpc-stream.ts';
import { serveStream } from '../../../extproc/wire/stream.ts';
import { encoded } from './independent.ts';
import { messages } from './messages.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Whoever waits for ever is kept only by who may go on with it. */
const waiters: (() => void)[] = [];
const forEver = () => new Promise<never>((_, reject) => void waiters.push(reject));

/** Reads of Node's are cut into messages, so a message that is kept keeps the whole read. */
const readBytes = 64 * 1024;

/** A stream that brings these messages and then nothing, with what is left of the reads that they came in. */
function streamOf(sent: readonly Buffer[]) {
  const reads: WeakRef<ArrayBuffer>[] = [];
  const waiting = [...sent];
  const stream = {
    isGone: false,
    isConnectionLost: false,
    onEnd() {},
    get hasNext() {
      return waiting.length > 0;
    },
    take(): Buffer | undefined {
      const message = waiting.shift();
      if (message === undefined) return undefined;
      const read = Buffer.from(new ArrayBuffer(readBytes));
      reads.push(new WeakRef(read.buffer));
      message.copy(read);
      return read.subarray(0, message.length);
    },
    changed: forEver,
    async sendLive(pieces: AsyncIterable<Uint8Array>) {
      for await (const _ of pieces);
    },
  };
  return { stream: stream as unknown as GrpcStream, left: () => reads.filter((read) => read.deref() !== undefined) };
}

async function* endless(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(': held\n\n');
  await forEver();
}

const held: { how: string; answer: () => Promise<Action> }[] = [
  { how: 'in silence', answer: forEver },
  {
    how: 'with comments',
    answer: async () => ({ kind: 'streamed_reply', headers: {}, body: endless(), accessLog: {} }),
  },
];

for (const { how, answer } of held) {
  test(`a request that is held ${how} keeps nothing of the reads that it came in`, async () => {
    const sent = [messages.requestHeaders(), messages.requestBody('{}', true)].map(encoded);
    const { stream, left } = streamOf(sent);
    let accepted = 0;
    const exchange = {
      id: 'x',
      accept: (): Promise<Action> => {
        accepted += 1;
        return accepted < sent.length ? Promise.resolve({ kind: 'wait' }) : answer();
      },
      left() {},
      abandon: async () => {},
    };
    void serveStream(
      stream,
      () => exchange,
      () => {},
      () => false,
    );
    // A WeakRef keeps what it names until the turn of the event loop is over.
    for (let turn = 0; turn < 10; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      collectGarbage();
    }
    assert.equal(accepted, sent.length);
    assert.ok(waiters.length > 0);
    assert.deepEqual(left(), []);
  });
}
