import assert from 'node:assert/strict';
import { test } from 'node:test';
import type Anthropic from '@anthropic-ai/sdk';
import { toFile } from '@anthropic-ai/sdk';
import { request as httpRequest } from 'undici';
import { fromBufferPromise } from 'yauzl';
import { ask, withFake } from './with-fake.ts';

const SKILL_MD = '---\nname: quarterly\ndescription: Makes the quarterly report\n---\n# Steps\nCall Jane.\n';

function files(steps = SKILL_MD) {
  return Promise.all([
    toFile(Buffer.from(steps), 'demo/SKILL.md', { type: 'text/markdown' }),
    toFile(Buffer.from('print("é")\n'), 'demo/scripts/build.py', { type: 'text/x-python' }),
  ]);
}

async function unzip(bytes: ArrayBuffer): Promise<Record<string, string>> {
  const archive = await fromBufferPromise(Buffer.from(bytes));
  const found: Record<string, string> = {};
  for await (const entry of archive.eachEntry()) {
    const stream = await archive.openReadStreamPromise(entry);
    found[entry.fileName] = Buffer.concat(await stream.toArray()).toString();
  }
  return found;
}

test('a skill is created from files with directories, listed, shown and deleted', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { name, client } of clients) {
      const skill = await client.skills.create({ files: await files(), display_name: 'Quarterly report' });
      assert.match(skill.id, /^skill_01Fake[0-9]{16}$/, name);
      assert.equal(skill.display_name, 'Quarterly report');
      assert.deepEqual(skill.source, { type: 'custom' });
      assert.deepEqual(await client.skills.retrieve(skill.id), skill);
      assert.equal((await client.skills.list({ source: 'custom' })).data[0]?.id, skill.id);
      const vendor = (await client.skills.list({ source: 'anthropic' })).data.map(({ id }) => id);
      assert.deepEqual(vendor.sort(), ['docx', 'pdf', 'pptx', 'xlsx']);
      const [version] = (await client.skills.versions.list(skill.id)).data;
      assert.deepEqual(
        [version?.id, version?.name, version?.description],
        [skill.latest_version_id, 'quarterly', 'Makes the quarterly report'],
      );
      assert.deepEqual(await client.skills.delete(skill.id), { id: skill.id, type: 'skill_deleted' });
      await assert.rejects(client.skills.retrieve(skill.id), { status: 404 });
      await assert.rejects(client.skills.delete('xlsx'), { status: 403 });
    }
  });
});

test('a new version becomes the latest, and its files come back as a ZIP archive', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      const { id, latest_version_id: first } = await client.skills.create({ files: await files() });
      const version = await client.skills.versions.create(id, { files: await files(`${SKILL_MD}More.\n`) });
      assert.match(version.id, /^skver_01Fake/);
      assert.equal((await client.skills.retrieve(id)).latest_version_id, version.id);
      assert.deepEqual(await client.skills.versions.retrieve(version.id, { skill_id: id }), version);
      const contents: string[] = [];
      for (const each of [first, version.id]) {
        const download = await client.beta.skills.versions.download(each, { skill_id: id });
        assert.equal(download.headers.get('content-type'), 'application/zip');
        const unpacked = await unzip(await download.arrayBuffer());
        assert.deepEqual(Object.keys(unpacked), ['demo/SKILL.md', 'demo/scripts/build.py']);
        assert.equal(unpacked['demo/scripts/build.py'], 'print("é")\n');
        contents.push(unpacked['demo/SKILL.md'] ?? '');
      }
      assert.deepEqual(contents, [SKILL_MD, `${SKILL_MD}More.\n`]);
      await client.skills.versions.delete(version.id, { skill_id: id });
      assert.equal((await client.skills.retrieve(id)).latest_version_id, first);
    }
  });
});

test('the older beta value brings titles, plain sources and versions that are numbers', async () => {
  await withFake({}, async (fake, [current]) => {
    const { id } = (await current?.client.skills.create({ files: await files() })) ?? { id: '' };
    const get = async (path: string) => {
      const headers = { 'x-api-key': 'k', 'anthropic-version': '2023-06-01', 'anthropic-beta': 'skills-2025-10-02' };
      const { body } = await httpRequest(`${fake.url}/v1/skills/${id}${path}?beta=true`, { headers });
      return (await body.json()) as Record<string, string>;
    };
    const skill = await get('');
    assert.deepEqual([skill.display_title, skill.source], ['quarterly', 'custom']);
    assert.match(skill.latest_version ?? '', /^[0-9]{16}$/);
    const version = await get(`/versions/${skill.latest_version}`);
    assert.deepEqual([version.version, version.directory], [skill.latest_version, 'demo']);
  });
});

test('a request that names an own skill is answered from that skill, with the version it used', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      const { id, latest_version_id } = await client.skills.create({ files: await files() });
      const answer = await client.messages.create({
        ...ask('Make it. [fake: answer skills]'),
        container: { id: 'container_mine', skills: [{ type: 'custom', skill_id: id, version: 'latest' }] },
      });
      assert.equal(answer.container?.id, 'container_mine');
      assert.deepEqual(answer.container?.skills, [{ type: 'custom', skill_id: id, version: latest_version_id }]);
      const view = answer.content.find((block) => block.type === 'text_editor_code_execution_tool_result');
      assert.ok(view?.content.type === 'text_editor_code_execution_view_result');
      assert.equal(view.content.content, SKILL_MD);
    }
  });
});

test('files without SKILL.md at the root of one directory, or with dots in their path, are no skill', async () => {
  await withFake({}, async (_fake, [current]) => {
    const client = current?.client as Anthropic;
    const skillFile = await toFile(Buffer.from(SKILL_MD), 'demo/SKILL.md');
    for (const names of [['other/x.md'], ['SKILL.md'], ['demo/../x.md'], ['demo//x.md']]) {
      const others = await Promise.all(names.map((name) => toFile(Buffer.from('x'), name)));
      await assert.rejects(client.skills.create({ files: [skillFile, ...others] }), { status: 400 });
    }
    await assert.rejects(client.skills.create({ files: [await toFile(Buffer.from('x'), 'demo/x.md')] }), {
      status: 400,
    });
    await assert.rejects(client.skills.create({ files: [] }), { status: 400 });
  });
});
