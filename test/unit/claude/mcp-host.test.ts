import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mcpHostOf, mcpHostsOf } from '../../../extproc/claude/mcp-host.ts';

test('the host of a server is that of its URL, in lower case and with its port', () => {
  assert.equal(mcpHostOf('https://Docs.Example.com/sse?key=a@b'), 'docs.example.com');
  assert.equal(mcpHostOf('http://localhost:8080'), 'localhost:8080');
  assert.equal(mcpHostOf('https://a.example?x'), 'a.example');
});

test('a URL in which two readers could see different hosts has none', () => {
  const odd = [
    ...['https://good.example\\@evil.example/', 'https://good.example@evil.example/', 'https://good.example\t.evil/'],
    ...['//good.example', 'good.example', 'https:good.example', 'https:///good.example', ' https://good.example'],
    ...['https://good.example\n', 'https://g\u00f6od.example', 'https://[::1]/', 'ftp://good.example', 'https://', ''],
    ...['https://.evil', 'https://good.example./', 'https://good.example/\\..\\'],
  ];
  for (const url of odd) assert.equal(mcpHostOf(url), '', JSON.stringify(url));
  for (const none of [undefined, null, 7, {}, []]) assert.equal(mcpHostOf(none), '');
});

test('each host is named once, and a server without one is told', () => {
  const servers = [{ url: 'https://a.example/1' }, { url: 'https://a.example/2' }, { name: 'x' }, 'no object'];
  assert.deepEqual(mcpHostsOf(servers), ['a.example', '']);
  assert.deepEqual(mcpHostsOf(undefined), []);
});
