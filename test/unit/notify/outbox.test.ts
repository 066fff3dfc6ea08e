import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Outbox } from '../../../extproc/notify/outbox.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { notice } from './notice-builder.ts';

test('what was delivered stays so when it is found again, and the place up to which events were read is kept', (context) => {
  const file = join(temporaryDirectory(context), 'notices.sqlite');
  const first = new Outbox(file);
  const one = { notice: notice(), target: 'chat' };
  first.add([one], { source: 'approvals', number: 7 }, 0);
  first.done(one, 'delivered');
  first.close();
  const outbox = new Outbox(file);
  context.after(() => outbox.close());
  assert.equal(outbox.cursorOf('approvals'), 7);
  outbox.add([one, { ...one, target: 'other' }], { source: 'approvals', number: 9 }, 1);
  assert.deepEqual([outbox.next('chat', 10), outbox.cursorOf('approvals'), outbox.undelivered], [null, 9, 1]);
  assert.equal(outbox.next('other', 10)?.notice.id, one.notice.id);
  outbox.prune(31 * 86_400_000);
  assert.deepEqual([outbox.has('t-1.1'), outbox.undelivered], [true, 1], 'what waits is not forgotten');
});
