import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SearchHit } from '../../extproc/index/port.ts';
import { SqliteSearch } from '../../extproc/index/sqlite/search.ts';
import { readJournalOf } from '../environment/journal-view.ts';
import type { ScriptedAnswer, ScriptedGateway } from '../environment/scripted-upstream.ts';
import { startScriptedGateway } from '../environment/scripted-upstream.ts';
import { waitUntil } from '../environment/wait.ts';
import { wholeIndex } from '../environment/whole-index.ts';

let gateway: ScriptedGateway;
let next: ScriptedAnswer = {};
before(async () => {
  const connections = { claude: { identityProviders: ['idp'] } };
  gateway = await startScriptedGateway({ connections, workers: 2, answer: () => next });
});
after(() => gateway.stop());

type Turn = { role: 'user' | 'assistant'; content: string };

function answerOf(id: string, text: string, container: string | null = null): ScriptedAnswer {
  const usage = { input_tokens: 1, output_tokens: 1 };
  const holds = container === null ? null : { id: container, expires_at: '2026-01-01T00:00:00Z', skills: [] };
  const content = [{ type: 'text', text }];
  const body = { id, type: 'message', role: 'assistant', content, stop_reason: 'end_turn', usage, container: holds };
  return { body: JSON.stringify(body) };
}

async function send(fields: Record<string, unknown>, answer: ScriptedAnswer, headers: [string, string][] = []) {
  next = answer;
  const question = { model: 'claude-opus-5-5', max_tokens: 64, messages: [{ role: 'user', content: 'Go on' }] };
  const answered = await gateway.call('/v1/messages', { body: { ...question, ...fields }, headers });
  assert.equal(answered.status, 200, answered.body.toString());
  return { session: answered.header('x-skilltape-session') ?? '', exchange: answered.exchangeId ?? '' };
}

/** How many of these exchanges each worker took. */
async function sharesOf(exchanges: readonly string[]): Promise<number[]> {
  const shares: number[] = [];
  for (const worker of [1, 2]) {
    const own = new Set((await readJournalOf(gateway.dataDirectory, worker)).map(({ id }) => id));
    shares.push(exchanges.filter((id) => own.has(id)).length);
  }
  return shares;
}

async function indexed(exchanges: readonly string[]): Promise<Map<string, SearchHit>> {
  return waitUntil('all in the index', async () => {
    const hits = await wholeIndex(gateway.dataDirectory);
    return exchanges.every((id) => hits.has(id)) && hits;
  });
}

test('a container carries its session on at once, whichever worker takes the next request', async () => {
  const tools = [{ type: 'code_execution_20260521', name: 'code_execution' }];
  const exchanges: string[] = [];
  for (let number = 0; number < 15; number += 1) {
    const container = `container_${number}`;
    const first = await send({ tools }, answerOf(`msg_c${number}`, 'made', container));
    const second = await send({ container }, answerOf(`msg_d${number}`, 'used', container));
    const third = await send({ container }, answerOf(`msg_e${number}`, 'used', container));
    assert.deepEqual([second.session, third.session], [first.session, first.session], container);
    exchanges.push(first.exchange, second.exchange, third.exchange);
  }
  const shares = await sharesOf(exchanges);
  assert.ok(Math.min(...shares) >= 5, `the workers took ${shares.join(' and ')}`);
});

test('the messages of a thread are one session across workers', async () => {
  const created = await send({ thread: { type: 'create' } }, answerOf('msg_t0', 'begun'));
  const exchanges = [created.exchange];
  for (let number = 1; number <= 20; number += 1) {
    const thread = { type: 'continue', previous_message_id: `msg_t${number - 1}` };
    const more = await send({ thread }, answerOf(`msg_t${number}`, 'more'));
    assert.equal(more.session, created.session, `message ${number}`);
    exchanges.push(more.exchange);
  }
  assert.ok(Math.min(...(await sharesOf(exchanges))) >= 3);
});

test('of a chat whose turns alternate between workers each turn is found once, in the exchange that brought it', async () => {
  const headers: [string, string][] = [['x-claude-code-session-id', '0b1c2d3e-0000-4000-8000-000000000001']];
  const messages: Turn[] = [];
  const exchanges: string[] = [];
  for (let number = 0; number < 24; number += 1) {
    messages.push({ role: 'user', content: `question-${number}-of-the-chat` });
    const answer = `answer-${number}-of-the-chat`;
    exchanges.push((await send({ messages }, answerOf(`msg_a${number}`, answer), headers)).exchange);
    messages.push({ role: 'assistant', content: answer });
  }
  const shares = await sharesOf(exchanges);
  assert.ok(Math.min(...shares) >= 4, `the workers took ${shares.join(' and ')}`);
  await indexed(exchanges);
  const index = SqliteSearch.open(gateway.dataDirectory);
  try {
    for (const [number, exchange] of exchanges.entries()) {
      for (const word of [`question-${number}-of-the-chat`, `answer-${number}-of-the-chat`]) {
        const { hits } = await index.search({ text: `"${word}"`, limit: 100 });
        assert.deepEqual(
          hits.map(({ id }) => id),
          [exchange],
          word,
        );
      }
    }
  } finally {
    index.close();
  }
});
