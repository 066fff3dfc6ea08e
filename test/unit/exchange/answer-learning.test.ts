import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OwnedId } from '../../../extproc/claude/owned-ids.ts';
import { AnswerLearning } from '../../../extproc/exchange/answer-learning.ts';
import { keyedHashWith } from '../../../extproc/keyed-hash.ts';
import { ownedKey, ownerKey } from '../../../extproc/link-key.ts';

const keyedHash = keyedHashWith(new Uint8Array(32));
const made: OwnedId[] = [{ kind: 'container', id: 'container_1' }];
const ids = { messageId: 'msg_1', containerId: 'container_1', managedSessionId: null, made };
const identity = { issuer: 'https://idp', subject: 'ada', name: '', email: '', groups: [] };

function learningOf(named: readonly OwnedId[], noted: Promise<void> = Promise.resolve()) {
  const links: string[] = [];
  const claims: [string, string][] = [];
  const remember = (key: string) => {
    links.push(key);
    return noted;
  };
  const claim = (key: string, owner: string) => {
    claims.push([key, owner]);
    return noted;
  };
  const learning = new AnswerLearning({
    links: { sessionOf: () => null, remember },
    owners: { ownerOf: () => null, claim },
    scope: { identity, connection: 'claude', keyedHash },
    ...{
      session: 's-1',
      messageKinds: ['message' as const],
      heldBodyMaxBytes: 1_000,
      endpoint: 'messages.create',
      named,
    },
    budget: { openExchanges: 0, heldBodyBytes: 0 },
    reader: { read: (() => ids) as never },
  });
  return { learning, links, claims };
}

const answer = { status: 200, contentType: 'application/json', contentEncoding: '' };

test('the end of an answer waits until everybody who may get the next request knows what it brought', async () => {
  const noted = Promise.withResolvers<void>();
  const { learning, links, claims } = learningOf([], noted.promise);
  let learnt = false;
  const done = learning.learn(answer).then(() => {
    learnt = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([links.length, claims.length, learnt], [2, 2, false], 'all are told of at once');
  noted.resolve();
  await done;
});

test("what an answer made is the caller's, and what the request named is not", async () => {
  const owner = ownerKey(keyedHash, identity, 'claude');
  const claimsOf = async (named: readonly OwnedId[]) => {
    const { learning, claims } = learningOf(named);
    await learning.learn(answer);
    return claims;
  };
  const message = [ownedKey(keyedHash, 'message', 'msg_1'), owner];
  assert.deepEqual(await claimsOf([]), [[ownedKey(keyedHash, 'container', 'container_1'), owner], message]);
  assert.deepEqual(await claimsOf(made), [message], 'going on in a container does not make it mine');
});
