import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SessionLearning } from '../../../extproc/exchange/session-learning.ts';
import { keyedHashWith } from '../../../extproc/keyed-hash.ts';

const ids = { messageId: 'msg_1', containerId: 'container_1', managedSessionId: null };
const identity = { issuer: 'https://idp', subject: 'ada', name: '', email: '', groups: [] };

test('the end of an answer waits until everybody who may get the next request knows what it brought', async () => {
  const noted = Promise.withResolvers<void>();
  const keys: string[] = [];
  const learning = new SessionLearning({
    links: {
      sessionOf: () => null,
      remember(key) {
        keys.push(key);
        return noted.promise;
      },
    },
    scope: { identity, connection: 'claude', keyedHash: keyedHashWith(new Uint8Array(32)) },
    ...{ session: 's-1', inThread: true, heldBodyMaxBytes: 1_000 },
    budget: { openExchanges: 0, heldBodyBytes: 0 },
    reader: { read: (() => ids) as never },
  });
  let learnt = false;
  const done = learning.learn({ status: 200, contentType: 'application/json', contentEncoding: '' }).then(() => {
    learnt = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([keys.length, learnt], [2, false], 'both are told of at once');
  noted.resolve();
  await done;
});
