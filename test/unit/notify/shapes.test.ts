import assert from 'node:assert/strict';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { mailOf } from '../../../extproc/notify/mail.ts';
import { plain } from '../../../extproc/notify/plain.ts';
import { slackMessage } from '../../../extproc/notify/slack.ts';
import { teamsMessage } from '../../../extproc/notify/teams.ts';
import { webhookBody, webhookHeaders } from '../../../extproc/notify/webhook.ts';
import { notice } from './notice-builder.ts';

/** What a caller may try in the names that it chooses. */
const attempts = [
  '<https://evil.example|Open the ticket>',
  '<!here>',
  '<!channel> <@U123> @here @everyone',
  '[Open the ticket](https://evil.example)',
  '<at>everyone</at>',
  'https://evil.example/login www.evil.example evil.example mailto:a@evil.example',
  'pdf\r\nBcc: all@evil.example\r\n\r\nhello',
  '\u202eelpmaxe.live//:sptth \u200b\u0000\u001b[31m',
  '"},{"type":"Action.OpenUrl","url":"https://evil.example"',
  '*bold* _it_ ~no~ `code` :rotating_light: &lt;!here&gt;',
];
const hostile = fc.oneof(
  fc.constantFrom(...attempts),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc
    .array(fc.constantFrom(...attempts, ' ', '.', '@', '//', '<', '>', '|', '\r', '\n'), { maxLength: 6 })
    .map((parts) => parts.join('')),
);
const hostileNotice = fc
  .record({
    model: hostile,
    skill: hostile,
    rule: hostile,
    message: hostile,
    name: hostile,
    email: hostile,
    reason: hostile,
  })
  .map(({ model, skill, rule, message, name, email, reason }) =>
    notice({
      ...{ models: [model], skills: [skill], reasons: [{ rule, message }], person: { name, email, subject: 's' } },
      ...{ occasion: 'decided', decision: { kind: 'denied', reason } },
    }),
  );

/** Every string in a message with the names of the fields above it. */
function strings(value: unknown, path: string[] = []): { path: string; text: string }[] {
  if (typeof value === 'string') return [{ path: path.join('.'), text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => strings(inner, [...path, name]));
}

/** The same message with its values taken out: what is left is its shape. */
function shapeOf(message: unknown): string {
  return JSON.stringify(message, (name, value) => (name === 'text' && typeof value === 'string' ? '' : value));
}

/** What chats and mail programs make a link or a mention of. */
const linkOrMention = /[a-z][a-z0-9+.-]*:\/\/|@|[<>]|[\p{L}\p{N}_-]\.[\p{L}\p{N}_-]/iu;

test('nothing a caller writes is left that a program could take for a link, a mention or another line', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const shown = plain(text);
      assert.doesNotMatch(shown, linkOrMention);
      assert.doesNotMatch(shown, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }),
  );
  assert.equal(plain('Tabellen erstellen (für 3 Blätter)'), 'Tabellen erstellen (für 3 Blätter)');
});

test('a message for Slack has one link, ours, and the same shape whatever callers write', () => {
  const expected = shapeOf(slackMessage(notice({ occasion: 'decided', decision: { kind: 'denied', reason: 'x' } })));
  fc.assert(
    fc.property(hostileNotice, (hostileOne) => {
      const message = slackMessage(hostileOne);
      assert.equal(
        shapeOf(message).replaceAll(/\{"type":"plain_text"[^}]*\},?/g, ''),
        expected.replaceAll(/\{"type":"plain_text"[^}]*\},?/g, ''),
      );
      const all = strings(message);
      const markup = all.filter(({ text }) => text.includes('<'));
      assert.deepEqual(
        markup.map(({ text }) => text),
        ['<https://skilltape.example/approvals/t-1|Open the ticket>'],
      );
      for (const { text } of all.filter(({ text: one }) => !markup.some(({ text: ours }) => ours === one)))
        assert.doesNotMatch(text, linkOrMention);
    }),
  );
});

test('a card for Teams puts values in text runs alone, and has one action, ours', () => {
  fc.assert(
    fc.property(hostileNotice, (hostileOne) => {
      const message = teamsMessage(hostileOne) as {
        attachments: {
          content: { body: { type: string; inlines: { type: string; text: string }[] }[]; actions: unknown[] };
        }[];
      };
      const card = message.attachments[0]?.content;
      assert.deepEqual(card?.actions, [
        { type: 'Action.OpenUrl', title: 'Open the ticket', url: 'https://skilltape.example/approvals/t-1' },
      ]);
      for (const block of card?.body ?? []) {
        assert.equal(block.type, 'RichTextBlock');
        for (const { type, text } of block.inlines) {
          assert.equal(type, 'TextRun');
          assert.doesNotMatch(text, linkOrMention);
        }
      }
    }),
  );
});

test('names of nothing but hidden characters make no message that a chat refuses for its length', () => {
  for (const character of ['\u200b', '\u202e', '\u{e0041}', '<', '語', 'x']) {
    const long = (maxChars: number) => character.repeat(maxChars / character.length);
    const longest = notice({
      models: Array.from({ length: 5 }, () => long(200)),
      skills: Array.from({ length: 5 }, () => long(200)),
      reasons: Array.from({ length: 5 }, () => ({ rule: long(200), message: long(500) })),
      person: { name: long(200), email: long(200), subject: long(200) },
      ...{ connection: long(200), occasion: 'decided', decision: { kind: 'denied', reason: long(500) } },
    });
    const fields = strings(slackMessage(longest)).filter(({ path }) => path.includes('fields'));
    assert.ok(fields.length > 0);
    for (const { text } of fields) assert.ok(text.length <= 2_000, `${text.length} characters`);
    assert.ok(Buffer.byteLength(JSON.stringify(teamsMessage(longest))) <= 28 * 1_024, 'a card of 28 KiB');
  }
});

test('no header of a mail has anything of a caller, and its text has one link, ours', () => {
  fc.assert(
    fc.property(hostileNotice, (hostileOne) => {
      const mail = mailOf(hostileOne, { from: 'skilltape@example.com', to: ['a@example.com'] });
      assert.equal(mail.subject, 'skilltape: A request was denied (ticket t-1)');
      assert.equal(mail.messageId, '<t-1.1@example.com>');
      const lines = mail.text.split('\r\n');
      assert.deepEqual(
        lines.filter((line) => /:\/\/|@/.test(line)),
        ['https://skilltape.example/approvals/t-1'],
      );
      assert.doesNotMatch(lines.join(''), /[\r\n]/);
    }),
  );
});

test('a receiver that knows the secret can tell that a webhook is ours, whole and new', () => {
  const key = Buffer.alloc(32, 7);
  const body = webhookBody(notice({ models: ['a"b\n'] }));
  const headers = webhookHeaders(`whsec_${key.toString('base64')}`, 't-1.1', body, 1_700_000_000_999);
  assert.equal(headers['webhook-id'], 't-1.1');
  assert.equal(headers['webhook-timestamp'], '1700000000');
  const expected = createHmac('sha256', key).update(`t-1.1.1700000000.${body}`).digest();
  const given = Buffer.from(headers['webhook-signature']?.replace('v1,', '') ?? '', 'base64');
  assert.ok(timingSafeEqual(expected, given));
  const parsed = JSON.parse(body);
  assert.equal(parsed.type, 'approval.opened');
  assert.deepEqual(parsed.data.models, ['a"b\n']);
  assert.equal(parsed.data.until, '1970-01-01T01:00:00.000Z');
});

test('a secret that is too short or of another form signs nothing, and is not repeated', () => {
  for (const secret of ['whsec_c2hvcnQ=', 'topsecretvalue', 'whsec_', `whsec_${Buffer.alloc(65).toString('base64')}`]) {
    assert.throws(
      () => webhookHeaders(secret, 'x', '{}', 0),
      (error: Error) => !error.message.includes('topsecret') && error.message.includes('form'),
    );
  }
});
