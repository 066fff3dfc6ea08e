import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AgentNode, exchangesOf, type PromptNode, sessionTree } from '../../../extproc/terminal/session-tree.ts';
import { treeJson } from '../../../extproc/terminal/tree-json.ts';
import { renderTree } from '../../../extproc/terminal/tree-page.ts';
import { documentOf } from '../../builders/document.ts';

type Claim = { id: string; agent?: string | null; parent?: string | null; prompt?: string | null };

function exchange({ id, agent = null, parent = null, prompt = 'p-1' }: Claim) {
  const claims = { parent_id: parent, prompt_id: prompt, request_class: agent === null ? 'main' : 'subagent' };
  return documentOf({ id, agent: { id: agent, name: agent && `the ${agent}` }, skilltape: { agent: claims } });
}

/** `main(a, b, agent(c))` for an agent and what stands under it. */
function drawn({ id, exchanges, agents }: AgentNode): string {
  const inside = [...exchanges.map(({ document }) => document.event.id), ...agents.map(drawn)];
  return `${id ?? 'main'}(${inside.join(', ')})`;
}

function treeOf(claims: Claim[]): string[] {
  return sessionTree(claims.map(exchange)).map(({ id, main }) => `${id}: ${drawn(main)}`);
}

function exchangeIds(prompts: readonly PromptNode[]): string[] {
  const under = ({ exchanges, agents }: AgentNode): string[] => [
    ...exchanges.map(({ document }) => document.event.id),
    ...agents.flatMap(under),
  ];
  return prompts.flatMap(({ main }) => under(main));
}

test('exchanges stand under their agents, agents under those that asked them, all under the prompt they serve', () => {
  assert.deepEqual(
    treeOf([
      { id: '1' },
      { id: '2', agent: 'a' },
      { id: '3', agent: 'b', parent: 'a' },
      { id: '4', agent: 'a' },
      { id: '5' },
      { id: '6', prompt: 'p-2' },
      { id: '7', prompt: 'p-2', agent: 'a' },
      { id: '8', prompt: null },
    ]),
    ['p-1: main(1, 5, a(2, 4, b(3)))', 'p-2: main(6, a(7))', 'null: main(8)'],
  );
});

test('an agent that is heard of before the one that asked it stands under it all the same', () => {
  assert.deepEqual(
    treeOf([
      { id: '1', agent: 'b', parent: 'a' },
      { id: '2', agent: 'a' },
    ]),
    ['p-1: main(a(2, b(1)))'],
  );
});

test('an unknown parent, a parent that is itself, and a circle stand under the main agent', () => {
  assert.deepEqual(treeOf([{ id: '1', agent: 'a', parent: 'nobody' }]), ['p-1: main(a(1))']);
  assert.deepEqual(treeOf([{ id: '1', agent: 'a', parent: 'a' }]), ['p-1: main(a(1))']);
  const circle = [
    { id: '1', agent: 'a', parent: 'c' },
    { id: '2', agent: 'b', parent: 'a' },
    { id: '3', agent: 'c', parent: 'b' },
    { id: '4', agent: 'd', parent: 'c' },
  ];
  assert.deepEqual(treeOf(circle), ['p-1: main(b(2, c(3, a(1), d(4))))']);
});

test('whatever callers claim, each exchange is in the tree once and the tree can be shown', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', '__proto__', 'constructor', '\u001b[2J\n');
  const claim = fc.record({ agent: fc.option(name), parent: fc.option(name), prompt: fc.option(name) });
  fc.assert(
    fc.property(fc.array(claim, { maxLength: 30 }), (claims) => {
      const documents = claims.map((each, at) => exchange({ ...each, id: `e-${at}` }));
      const tree = sessionTree(documents);
      assert.deepEqual(exchangeIds(tree).toSorted(), documents.map(({ event }) => event.id).toSorted());
      const text = renderTree('s', tree, { color: false, width: 60 });
      assert.doesNotMatch(text, /[^\P{Cc}\n]/u);
      assert.ok(JSON.stringify(treeJson(tree)).length > 0);
    }),
  );
});

test('a chain of agents without end is cut in depth, and takes linear time', () => {
  const claims = Array.from({ length: 20_000 }, (_, at) => ({
    id: `e-${at}`,
    agent: `a-${at}`,
    parent: `a-${at + 1}`,
  }));
  const tree = sessionTree(claims.map(exchange));
  assert.equal(exchangeIds(tree).length, claims.length);
  const text = renderTree('s', tree, { color: false, width: 80 });
  assert.ok(text.split('\n').every((line) => line.length <= 80));
});

test('documents of a batch stand under their exchange in the order of the batch, or alone without it', () => {
  const documents = ['x.10', 'x', 'x.2', 'y.1', 'z.a'].map((id) => documentOf({ id }));
  assert.deepEqual(
    exchangesOf(documents).map(({ document, batch }) => [document.event.id, ...batch.map(({ event }) => event.id)]),
    [['x', 'x.2', 'x.10'], ['y.1'], ['z.a']],
  );
});

test('a tree is one line for each thing, safe to print, and of a large batch only the begin', () => {
  const batch = Array.from({ length: 25 }, (_, at) => documentOf({ id: `x.${at + 1}` }));
  const documents = [exchange({ id: 'x' }), ...batch, exchange({ id: 'b', agent: 'spy\nprompt forged' })];
  const text = renderTree('s-1', sessionTree(documents), { color: false, width: 200 });
  const lines = text.split('\n');
  assert.deepEqual(lines.slice(0, 4), [
    'session s-1',
    '  prompt p-1',
    '    main agent',
    '      x  2026-01-15T10:00:00.000Z  main  claude-sonnet-4-5  complete  46 tokens',
  ]);
  assert.ok(lines.includes('        and 5 more'));
  assert.ok(lines.includes('      agent spy prompt forged (the spy prompt forged)'));
  assert.doesNotMatch(text, /^prompt/m);
});
