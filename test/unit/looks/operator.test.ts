import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { test } from 'node:test';
import { currentOperator } from '../../../extproc/looks/operator.ts';

test('the operator is the account of the process; sudo adds who called it', () => {
  const { username, uid } = userInfo();
  assert.deepEqual(currentOperator({}), { osUser: username, uid });
  assert.deepEqual(currentOperator({ SUDO_USER: '' }), { osUser: username, uid });
  assert.deepEqual(currentOperator({ SUDO_USER: 'ada', USER: 'mallory' }), { osUser: username, uid, sudoUser: 'ada' });
});
