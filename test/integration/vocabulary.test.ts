import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { toFile } from '@anthropic-ai/sdk';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import type { Caller } from '../environment/recorded.ts';
import { callerOf, entriesOf, found, usageOf } from '../environment/recorded.ts';

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway();
});
after(() => gateway.stop());

const model = 'claude-opus-5-5';
const ask = (content: string) => ({ model, max_tokens: 64, messages: [{ role: 'user' as const, content }] });
const dialects = [
  ['SDK 1.x', ({ client }: Caller) => client],
  ['SDK 0.x', ({ old }: Caller) => old],
] as const;

for (const [name, of] of dialects) {
  const word = name === 'SDK 1.x' ? 'quince' : 'medlar';

  test(`each prompt and each answer of a batch is found by its text, and counted once however often fetched: ${name}`, async () => {
    const caller = await callerOf(gateway);
    const { batches } = of(caller).messages;
    const prompts = [`first ${word} prompt`, `second ${word} prompt [fake: batch errored]`, `third ${word} prompt`];
    const requests = prompts.map((prompt, at) => ({ custom_id: `row-${at}`, params: ask(prompt) }));
    const { id } = await batches.create({ requests });
    for (let round = 0; round < 2; round += 1) {
      const fetched: string[] = [];
      for await (const { custom_id: customId } of await batches.results(id)) fetched.push(customId);
      assert.deepEqual(fetched, ['row-0', 'row-1', 'row-2']);
    }
    const [created, looked, results, , again] = await caller.documents();
    assert.ok(created && results && again);
    assert.deepEqual([created.skilltape.noise, looked?.skilltape.noise], [null, 'polling']);
    const asked = await entriesOf(gateway, created.event.id);
    const answered = await entriesOf(gateway, results.event.id);
    assert.deepEqual(await entriesOf(gateway, again.event.id), []);
    for (const [at, prompt] of prompts.entries()) {
      assert.equal(asked[at]?.skilltape.batch?.custom_id, `row-${at}`);
      const ids = [asked[at]?.event.id, ...(at === 1 ? [] : [answered[at]?.event.id])];
      assert.deepEqual((await found(gateway, prompt.split(' [')[0] ?? '')).sort(), ids.sort(), prompt);
      assert.deepEqual(answered[at]?.skilltape.link, [{ event_id: asked[at]?.event.id, via: 'batch' }]);
      assert.equal(answered[at]?.skilltape.session.id, created.skilltape.session.id);
    }
    assert.equal(answered[1]?.skilltape.outcome, 'upstream_error');
    const [usage, ...more] = await usageOf(gateway, created.skilltape.session.id);
    assert.deepEqual([usage?.exchanges, usage?.serviceTier, more], [2, 'batch', []]);
    const outputs = answered.map(({ gen_ai: genAi }) => genAi.usage.output_tokens ?? 0);
    assert.equal(
      usage?.tokens.output,
      outputs.reduce((sum, output) => sum + output, 0),
    );
  });

  test(`a file that goes up, the prompt that names it, what code writes and its download are linked: ${name}`, async () => {
    const caller = await callerOf(gateway);
    const client = of(caller);
    const harvest = `the ${word} harvest, by region`;
    const file = await toFile(Buffer.from(harvest), 'harvest.txt', { type: 'text/plain' });
    const { id } = await client.files.upload({ file });
    const container_upload = { type: 'container_upload' as const, file_id: id };
    const text = { type: 'text' as const, text: `Sum up the ${word} table [fake: answer bash_code_execution text]` };
    const answer = await client.messages.create({
      ...ask(''),
      messages: [{ role: 'user', content: [text, container_upload] }],
      tools: [{ type: 'code_execution_20260521', name: 'code_execution' }],
    } as never);
    const produced = /"file_id":"(file_[^"]+)"/.exec(JSON.stringify(answer))?.[1] ?? '';
    await (await client.files.download(produced)).arrayBuffer();
    await (await client.files.download(id)).arrayBuffer();
    const [upload, prompt, output, back] = await caller.documents();
    assert.ok(upload && prompt && output && back);
    assert.deepEqual(
      upload.skilltape.file.map(({ id, role, name, bytes }) => [id, role, name, bytes]),
      [[id, 'uploaded', 'harvest.txt', harvest.length]],
    );
    assert.deepEqual(
      prompt.skilltape.file.map(({ id, role }) => [id, role]),
      [
        [id, 'referenced'],
        [produced, 'produced'],
      ],
    );
    assert.deepEqual(prompt.skilltape.link, [{ event_id: upload.event.id, via: 'file' }]);
    assert.deepEqual(output.skilltape.link, [{ event_id: prompt.event.id, via: 'file' }]);
    assert.deepEqual(back.skilltape.link, [{ event_id: upload.event.id, via: 'file' }]);
    assert.equal(back.skilltape.file[0]?.hash, upload.skilltape.file[0]?.hash);
    assert.deepEqual((await found(gateway, `${word} harvest`)).sort(), [upload.event.id, back.event.id].sort());
    assert.ok((await found(gateway, 'wrote revenue.csv')).includes(prompt.event.id), 'what the code printed');
  });

  test(`the text of a skill is found where it goes up and where it comes down, and its use by its name: ${name}`, async () => {
    const caller = await callerOf(gateway);
    const client = of(caller);
    const files = await Promise.all([
      toFile(Buffer.from(`---\nname: ${word}-jam\n---\nBoil the ${word} slowly.\n`), 'jam/SKILL.md'),
      toFile(Buffer.from(`print("stir the ${word}")\n`), 'jam/scripts/stir.py'),
    ]);
    const skill = await client.skills.create({ files, display_name: `${word} jam` });
    const container = { skills: [{ type: 'custom' as const, skill_id: skill.id, version: 'latest' }] };
    const tools = [{ type: 'code_execution_20260521', name: 'code_execution' }];
    await client.messages.create({ ...ask(`Make ${word} jam [fake: answer skills]`), container, tools } as never);
    const version = skill.latest_version_id;
    await (await client.beta.skills.versions.download(version, { skill_id: skill.id })).arrayBuffer();
    const [up, use, down] = await caller.documents();
    assert.ok(up && use && down);
    const all = [up.event.id, use.event.id, down.event.id].sort();
    assert.deepEqual((await found(gateway, `Boil the ${word} slowly`)).sort(), all);
    assert.deepEqual((await found(gateway, `stir the ${word}`)).sort(), [up.event.id, down.event.id].sort());
    assert.deepEqual(
      up.skilltape.file.map(({ name }) => name),
      ['jam/SKILL.md', 'jam/scripts/stir.py'],
    );
    assert.deepEqual(use.skilltape.skill, [{ name: skill.id, version, source: 'container' }]);
    assert.deepEqual(await found(gateway, `Make ${word} jam`, { skill: skill.id }), [use.event.id]);
  });
}

test('counting tokens and asking for models is noise: hidden from a search, counted there, and shown when asked for', async () => {
  const caller = await callerOf(gateway);
  await caller.client.messages.countTokens({
    model,
    messages: [{ role: 'user', content: 'how long is the medlar tale' }],
  });
  await caller.client.models.list();
  await caller.client.messages.create(ask('tell the medlar tale'));
  const [counted, models, told] = await caller.documents();
  assert.deepEqual([counted?.skilltape.noise, models?.skilltape.noise], ['count_tokens', 'models']);
  assert.deepEqual(await found(gateway, 'medlar tale'), [told?.event.id]);
  assert.deepEqual(await found(gateway, 'medlar tale', { noise: true }), [told?.event.id, counted?.event.id]);
});
