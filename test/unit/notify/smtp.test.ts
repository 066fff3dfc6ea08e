import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { send } from '../../../extproc/notify/send.ts';
import { smtpSender } from '../../../extproc/notify/smtp.ts';
import type { Target } from '../../../extproc/notify/target.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { notice } from './notice-builder.ts';

/** Speaks as much of SMTP as one message needs; `answerTo` replaces its answer to a command. */
async function mailServer(context: TestContext, answerTo: Record<string, string> = {}) {
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    let data: string | null = null;
    let rest = '';
    socket.write('220 test\r\n');
    socket.on('data', (chunk) => {
      rest += chunk.toString('utf8');
      for (let end = rest.indexOf('\r\n'); end !== -1; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (data !== null && line !== '.') {
          data += `${line}\n`;
          continue;
        }
        if (data !== null) commands.push(data);
        data = line === 'DATA' ? '' : null;
        commands.push(line);
        const name = line.split(' ')[0] ?? '';
        if (answerTo[name] === 'silence') continue;
        const usual = name === 'DATA' ? '354 go on' : name === 'EHLO' ? '250-test\r\n250 AUTH PLAIN' : '250 ok';
        socket.write(`${answerTo[name] ?? usual}\r\n`);
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, commands };
}

function target(port: number, changes: Partial<Extract<Target, { kind: 'email' }>['smtp']> = {}): Target {
  const smtp = { host: '127.0.0.1', port, tls: 'none' as const, login: null, ...changes };
  const to = ['grace@example.com', 'ada@example.com'];
  return {
    name: 'mail',
    kind: 'email',
    subjects: ['approval'],
    occasions: ['opened'],
    namesPerson: true,
    smtp,
    from: 'skilltape@example.com',
    to,
  };
}

const how = {
  timeoutMs: 1_000,
  nowMs: 0,
  mailSenderOf: async (...server: Parameters<typeof smtpSender>) => smtpSender(...server),
};

test('a mail goes to those who are configured, with a subject of ours and the ticket in its text', async (context) => {
  const { port, commands } = await mailServer(context, { AUTH: '235 ok' });
  const directory = temporaryDirectory(context);
  const userFile = join(directory, 'user');
  const passwordFile = join(directory, 'password');
  writeFileSync(userFile, 'skilltape\n', { mode: 0o600 });
  writeFileSync(passwordFile, 'pass word\n', { mode: 0o600 });
  const hostile = notice({ skills: ['pdf\r\nRCPT TO:<all@evil.example>\r\n.\r\nBcc: all@evil.example'] });
  assert.deepEqual(await send(hostile, target(port, { login: { userFile, passwordFile } }), how), {
    kind: 'delivered',
  });
  assert.deepEqual(
    commands.filter((line) => /^(MAIL|RCPT)/.test(line)).map((line) => line.replace(/ BODY.*/, '')),
    ['MAIL FROM:<skilltape@example.com>', 'RCPT TO:<grace@example.com>', 'RCPT TO:<ada@example.com>'],
  );
  assert.ok(commands.includes(`AUTH PLAIN ${Buffer.from('\0skilltape\0pass word').toString('base64')}`));
  const message = commands.find((line) => line.includes('Subject:')) ?? '';
  const [head = ''] = message.split('\n\n');
  assert.match(head, /^Subject: skilltape: A request waits for an approval \(ticket t-1\)$/m);
  assert.match(head, /^Message-ID: <t-1\.1@example\.com>$/m);
  assert.match(head, /^Content-Type: text\/plain; charset=utf-8$/m);
  assert.doesNotMatch(head, /^Bcc/m);
});

test('what a mail server refuses for now is tried again, what it refuses for good is not, and silence has an end', async (context) => {
  for (const [answer, isFinal, why] of [
    ['451 later', false, /answered with 451/],
    ['550 no such mailbox', true, /answered with 550/],
    ['silence', false, /no answer in time/],
  ] as const) {
    const { port } = await mailServer(context, { MAIL: answer });
    const sent = await send(notice(), target(port), { ...how, timeoutMs: 400 });
    assert.equal(sent.kind, 'failed');
    if (sent.kind === 'failed') assert.equal(sent.isFinal, isFinal, answer);
    assert.match(JSON.stringify(sent), why);
    assert.doesNotMatch(JSON.stringify(sent), /mailbox|later/);
  }
});

test('a server that offers no TLS gets no mail unless the configuration says so', async (context) => {
  const { port, commands } = await mailServer(context);
  const sent = await send(notice(), target(port, { tls: 'starttls' }), how);
  assert.equal(sent.kind, 'failed');
  assert.equal(
    commands.some((line) => line.startsWith('MAIL')),
    false,
  );
});

test('a credential that every user can read is not used', async (context) => {
  const directory = temporaryDirectory(context);
  const urlFile = join(directory, 'url');
  writeFileSync(urlFile, 'https://chat.example/secret', { mode: 0o644 });
  const slack = {
    name: 'chat',
    kind: 'slack',
    subjects: ['approval'],
    occasions: ['opened'],
    namesPerson: false,
    urlFile,
    allowPlainHttp: false,
  } as const;
  const sent = await send(notice(), slack, how);
  assert.match(JSON.stringify(sent), /every user of this machine may read/);
});
