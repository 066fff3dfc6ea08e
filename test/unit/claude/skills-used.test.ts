import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../extproc/claude/json.ts';
import { type MessagesRequest, readMessagesRequest, type Turn } from '../../../extproc/claude/request.ts';
import { skillListing, skillsUsed } from '../../../extproc/claude/skills-used.ts';
import { fixtureJson } from './fixture.ts';

function requestOf(name: string): MessagesRequest {
  const read = readMessagesRequest(fixtureJson(name));
  assert.ok(read.ok);
  return read.request;
}

function messageOf(name: string): JsonObject {
  const message = fixtureJson(name);
  assert.ok(isJsonObject(message));
  return message;
}

function used(newTurns: readonly Turn[], message: JsonObject | null = null, request: MessagesRequest | null = null) {
  return skillsUsed({ request, newTurns, message });
}

function user(...texts: string[]): Turn[] {
  return [{ role: 'user', content: texts.map((text) => ({ type: 'text', text })) }];
}

const result = { type: 'tool_result', tool_use_id: 't', content: 'Launching skill: quarterly-report' };
const skillFile = 'Base directory for this skill: /home/user/.claude/skills/quarterly-report\n\n# Quarterly report';

test("a container's skills are used with the version that the answer names", () => {
  const uses = used([], messageOf('e_skills_response.json'), requestOf('e_skills_request.json'));
  const asked = used([], null, requestOf('e_skills_request.json'));
  assert.deepEqual(
    uses.map(({ name, source }) => [name, source]),
    asked.map(({ name, source }) => [name, source]),
  );
  const container = { id: 'c', skills: [{ type: 'anthropic', skill_id: 'xlsx', version: '20261001' }] };
  const [xlsx] = used([], { container }, requestOf('e_skills_request.json'));
  assert.deepEqual(xlsx, { name: 'xlsx', version: '20261001', source: 'container' });
});

test("the model's call of the Skill tool is a use, other tools and servers' are none", () => {
  const call = (fields: JsonObject) => ({ content: [{ type: 'tool_use', name: 'Skill', ...fields }] });
  assert.deepEqual(used([], call({ input: { skill: 'pdf', args: 'x' } })), [
    { name: 'pdf', version: '', source: 'skill_tool' },
  ]);
  for (const fields of [
    { input: { skill: 7 } },
    { input: 'pdf' },
    { name: 'Bash', input: { skill: 'pdf' } },
    { type: 'mcp_tool_use', input: { skill: 'pdf' } },
  ] as JsonObject[]) {
    assert.deepEqual(used([], call(fields)), []);
  }
});

test('the second request of a skill brings its text, and the resent call does not count again', () => {
  const { messages } = requestOf('i2_claude_p_skill_turn2_request.trimmed.json');
  const expected = [{ name: 'quarterly-report', version: '', source: 'skill_text' }];
  assert.deepEqual(used(messages.slice(-1)), expected);
  assert.deepEqual(used(messages), expected, 'a call in the history is no call of this answer');
});

test('a typed command is a use, with or without the text of its skill behind it', () => {
  const command =
    '<command-message>quarterly-report</command-message>\n<command-name>/quarterly-report</command-name>\n<command-args>for Q3</command-args>';
  const typed = [{ name: 'quarterly-report', version: '', source: 'command' }];
  assert.deepEqual(used(user(command, '# Quarterly report\n\nARGUMENTS: for Q3')), typed);
  assert.deepEqual(used(user('<command-name>/quarterly-report</command-name>')), typed);
  assert.deepEqual(used([{ role: 'user', content: command }]), typed);
  assert.deepEqual(used(user(command, skillFile)), [...typed, { ...typed[0], source: 'skill_text' }]);
});

test('what only talks about skills is no use', () => {
  for (const turns of [
    user('what does <command-name>/x</command-name> mean?'),
    user(skillFile),
    user('<command-name>/clear</command-name>', '<local-command-stdout></local-command-stdout>'),
    [{ role: 'user', content: [{ ...result, content: `<command-name>/x</command-name> ${skillFile}` }] }],
    [{ role: 'assistant', content: [result, { type: 'text', text: skillFile }] }],
    [{ role: 'system', content: '<command-name>/x</command-name>' }],
  ]) {
    assert.deepEqual(used(turns), []);
  }
});

test('the name of a skill is the last part of its path on any system', () => {
  const nameOf = (path: string) =>
    used([
      { role: 'user', content: [result, { type: 'text', text: `Base directory for this skill: ${path}\r\n\r\nx` }] },
    ])[0]?.name;
  assert.equal(nameOf('/a/b/pdf/'), 'pdf');
  assert.equal(nameOf('C:\\Users\\j d\\skills\\my skill'), 'my skill');
  assert.equal(nameOf('pdf'), 'pdf');
  assert.equal(nameOf('///'), undefined);
});

test('each skill counts once for each source, and names and number are bounded', () => {
  const call = (skill: string) => ({ type: 'tool_use', name: 'Skill', input: { skill } });
  assert.equal(used([], { content: [call('a'), call('a'), call('__proto__')] }).length, 2);
  assert.equal(used([], { content: Array.from({ length: 500 }, (_, at) => call(`s${at}`)) }).length, 64);
  const [long] = used([], { content: [call(`${'x'.repeat(255)}\u{1f600}`)] });
  assert.equal(long?.name, `${'x'.repeat(255)}\ufffd`);
});

test('the listing of skills gives their names and is no use', () => {
  const listing = `# Environment\nx\n\nThe following skills are available for use with the Skill tool:

- quarterly-report: Makes the report. Use it: always
  and in more lines
- plugin:pdf: Reads PDF
- bare

- not-a-skill: an agent`;
  const turns = [{ role: 'system', content: [{ type: 'text', text: listing }] }];
  assert.deepEqual(skillListing(turns), ['quarterly-report', 'plugin:pdf', 'bare']);
  assert.deepEqual(skillListing([{ role: 'user', content: listing }]), ['quarterly-report', 'plugin:pdf', 'bare']);
  assert.deepEqual(used(turns), []);
  assert.deepEqual(skillListing(user('- a: b')), []);
  const many = Array.from({ length: 2000 }, (_, at) => `- s${at}: d`).join('\n');
  assert.equal(
    skillListing(user(`The following skills are available for use with the Skill tool:\n${many}`)).length,
    512,
  );
});

test('any content is read without a throw', () => {
  const marks = fc.constantFrom(
    '<command-name>',
    '</command-name>',
    'Base directory for this skill: ',
    '/',
    '- ',
    '\n',
    'x',
  );
  const text = fc.array(marks, { maxLength: 12 }).map((parts) => parts.join(''));
  const block = fc.record({ type: fc.constantFrom('text', 'tool_result', 'tool_use'), text, input: fc.jsonValue() });
  const content = fc.oneof(text, fc.array(block), fc.jsonValue());
  fc.assert(
    fc.property(content, content, (first, second) => {
      const turns = [{ role: 'user', content: first as JsonValue }];
      const uses = used(turns, { content: second as JsonValue, container: second as JsonValue });
      for (const { name } of uses) assert.ok(name !== '' && name.length <= 256);
      skillListing(turns);
    }),
  );
});
