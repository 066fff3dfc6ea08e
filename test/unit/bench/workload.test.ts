import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workloadNames } from '../../bench/options.ts';
import { workloadOf } from '../../bench/workload.ts';

const sizes = { json: 2_048, code: 48_042, sse: 600 };

test('the bodies have the sizes that their titles promise', () => {
  for (const name of workloadNames) assert.equal(Buffer.byteLength(workloadOf(name).body), sizes[name]);
});

test('a body asks for the kind of answer that is expected', () => {
  for (const name of workloadNames) {
    const { body, answer } = workloadOf(name);
    assert.equal((JSON.parse(body) as { stream?: boolean }).stream === true, answer === 'sse');
    // The upstream looks for these very bytes.
    assert.equal(body.includes('"stream":true'), answer === 'sse');
  }
});

test('each exchange is a conversation of its own: the number stands in the first turn and in what names the session', () => {
  for (const name of workloadNames) {
    const parsed = JSON.parse(workloadOf(name).body) as { metadata: { user_id: string }; messages: unknown[] };
    assert.match(parsed.metadata.user_id, /SERIALSERIAL/);
    assert.match(JSON.stringify(parsed.messages[0]), /Question SERIALSERIAL/);
  }
});

test('the request of Claude Code has the system blocks and the 12 tools of the captured one', () => {
  const request = JSON.parse(workloadOf('code').body) as { system: unknown[]; tools: { input_schema?: unknown }[] };
  assert.equal(request.system.length, 3);
  assert.equal(request.tools.length, 12);
});
