import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, JsonValue } from '../../../extproc/claude/json.ts';
import { mcpToolsetsMax, readMcpToolsets } from '../../../extproc/claude/mcp-toolsets.ts';
import { readMessagesRequest } from '../../../extproc/claude/request.ts';

const git = { type: 'url', name: 'git', url: 'https://git.example.com/mcp' };
const docs = { type: 'url', name: 'docs', url: 'https://docs.example.com/mcp' };
const toolset = (more: JsonObject = {}) => ({ type: 'mcp_toolset', mcp_server_name: 'git', ...more });

function toolsets(servers: JsonValue, tools: JsonObject[]) {
  const read = readMcpToolsets(servers, tools);
  assert.ok(read.ok);
  return read.toolsets;
}

function ofGit(more: JsonObject) {
  const [only, ...others] = toolsets([git], [toolset(more)]);
  assert.deepEqual(others, []);
  return { open: only?.open, on: only?.on, off: only?.off };
}

test('a server is open until something is said of it, and then what is said counts', () => {
  const open = { open: true, on: [], off: [] };
  assert.deepEqual(toolsets([git], []), [{ server: 'git', host: 'git.example.com', ...open }]);
  assert.deepEqual(toolsets([git, docs], [toolset()]), [
    { server: 'git', host: 'git.example.com', ...open },
    { server: 'docs', host: 'docs.example.com', ...open },
  ]);
  const closed = { default_config: { enabled: false } };
  assert.deepEqual(ofGit(closed), { open: false, on: [], off: [] });
  const configs = { find: { enabled: true }, list: {}, drop: { enabled: false } };
  assert.deepEqual(ofGit({ ...closed, configs }), { open: false, on: ['find'], off: ['list', 'drop'] });
  assert.deepEqual(ofGit({ configs }), { open: true, on: ['find', 'list'], off: ['drop'] });
});

test('the definition of an agent has a list of them; of a tool that is named twice the more open counts', () => {
  const configs = [
    { name: 'drop', enabled: false },
    { name: 'find', enabled: true },
    { name: 'drop', enabled: null },
  ];
  assert.deepEqual(ofGit({ configs }), { open: true, on: ['find', 'drop'], off: [] });
});

test('only false switches off, and a pinned listing closes nothing', () => {
  for (const enabled of ['false', 0, null]) assert.equal(ofGit({ default_config: { enabled } }).open, true);
  assert.equal(ofGit({ default_config: null }).open, true);
  const tools = [{ name: 'find', description: 'x' }, { name: 'drop' }, { name: 7 }];
  assert.deepEqual(ofGit({ tools, configs: { drop: { enabled: false } } }), {
    open: true,
    on: ['find'],
    off: ['drop'],
  });
});

test('the older form stands for itself: what one form opens is open, whatever the other says', () => {
  const older = (tool_configuration: JsonObject) => toolsets([{ ...git, tool_configuration }], []);
  const at = { server: 'git', host: 'git.example.com' };
  assert.deepEqual(older({ allowed_tools: ['find', 7] }), [{ ...at, open: false, on: ['find'], off: [] }]);
  assert.deepEqual(older({ enabled: false, allowed_tools: ['find'] }), [{ ...at, open: false, on: [], off: [] }]);
  for (const all of [{}, { allowed_tools: null }, { enabled: true }]) assert.equal(older(all)[0]?.open, true);
  const both = toolsets([{ ...git, tool_configuration: { enabled: false } }], [toolset()]);
  assert.deepEqual(
    both.map(({ open }) => open),
    [true, false],
  );
});

test('a server that cannot be told has no host: one that is not there, or that is there twice', () => {
  const hosts = (servers: JsonValue) => toolsets(servers, [toolset()]).map(({ host }) => host);
  for (const servers of [null, [], [docs]]) assert.equal(hosts(servers)[0], '');
  assert.equal(hosts([git, { ...git, url: 'https://evil.example/' }])[0], '');
  assert.equal(hosts([git, git])[0], 'git.example.com');
});

test('more servers and toolsets than are judged are a fault of the request', () => {
  const many = (count: number) =>
    readMcpToolsets(
      [git],
      Array.from({ length: count }, () => toolset()),
    );
  assert.equal(many(mcpToolsetsMax - 1).ok, true);
  assert.deepEqual(many(mcpToolsetsMax), {
    ok: false,
    fault: `mcp_servers and tools of type mcp_toolset are more than ${mcpToolsetsMax} together`,
  });
});

test('a toolset that a message brings in counts like any other', () => {
  const definition = toolset({ default_config: { enabled: true } });
  const addition = { type: 'tool_addition', tool: { type: 'tool_definition', definition } };
  const body = {
    model: 'm',
    mcp_servers: [git],
    tools: [toolset({ default_config: { enabled: false } })],
    messages: [{ role: 'system', content: [addition] }],
  };
  const read = readMessagesRequest(body);
  assert.ok(read.ok);
  assert.deepEqual(
    read.request.mcpToolsets.map(({ open }) => open),
    [false, true],
  );
});
