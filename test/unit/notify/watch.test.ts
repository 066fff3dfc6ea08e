import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { TicketFeed } from '../../../extproc/approvals/feed.ts';
import { Tickets, usualTicketLimits } from '../../../extproc/approvals/tickets.ts';
import { GrantFeed } from '../../../extproc/grants/feed.ts';
import { Grants } from '../../../extproc/grants/grants.ts';
import { expiringAtOnceMax } from '../../../extproc/notify/collect.ts';
import { factsOf, type Notice, noticeSubjects, titleOf } from '../../../extproc/notify/notice.ts';
import { Outbox, undeliveredMax } from '../../../extproc/notify/outbox.ts';
import type { FromWatch } from '../../../extproc/notify/protocol.ts';
import { send } from '../../../extproc/notify/send.ts';
import { grantSource, ticketSource } from '../../../extproc/notify/source.ts';
import type { Sent, Target } from '../../../extproc/notify/target.ts';
import { TicketWatch } from '../../../extproc/notify/watch.ts';
import { approval, approvalRequest, approver, denial, minute } from '../../builders/approval.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { asking, actor as grantActor } from '../../builders/grant.ts';
import { type Receiver, startReceiver } from '../../environment/receiver.ts';
import { notice } from './notice-builder.ts';

const occasions = ['opened', 'expiring', 'decided', 'expired'] as const;
const linkBase = 'https://skilltape.example';
const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

/** One test waits for as long. */
const sendTimeoutMs = 5_000;

type Rig = Awaited<ReturnType<typeof rig>>;

async function rig(context: TestContext, urls: Record<string, string>, sendWith?: (notice: Notice) => Promise<Sent>) {
  const directory = temporaryDirectory(context);
  const file = join(directory, 'approvals.sqlite');
  const tickets = new Tickets(file);
  const grantsPath = join(directory, 'grants.sqlite');
  const grants = new Grants(grantsPath);
  const secretFile = join(directory, 'secret');
  writeFileSync(secretFile, secret, { mode: 0o600 });
  const targets = Object.entries(urls).map(([name, url]): Target => {
    const urlFile = join(directory, `url-${name}`);
    writeFileSync(urlFile, url, { mode: 0o600 });
    return {
      name,
      ...{ subjects: [...noticeSubjects], occasions: [...occasions] },
      namesPerson: false,
      kind: 'webhook',
      urlFile,
      secretFile,
      allowPlainHttp: false,
    };
  });
  const clock = { nowMs: 1_000_000 };
  const told: FromWatch[] = [];
  const open = (subjects: Record<string, Target['subjects']> = {}) => {
    const feed = new TicketFeed(file, usualTicketLimits);
    const outbox = new Outbox(join(directory, 'notices.sqlite'));
    const grantFeed = new GrantFeed(grantsPath);
    const watch = new TicketWatch({
      ...{
        ...{ feed, outbox },
        targets: targets.map((target) => ({ ...target, subjects: subjects[target.name] ?? target.subjects })),
        sources: [ticketSource(feed, linkBase), grantSource(grantFeed, linkBase)],
        expiringMs: 10 * minute,
        giveUpMs: 60 * minute,
      },
      send: (notice, target) =>
        sendWith?.(notice) ??
        send(notice, target, { timeoutMs: sendTimeoutMs, nowMs: clock.nowMs, mailSenderOf: () => Promise.reject() }),
      ...{ tell: (message: FromWatch) => told.push(message), nowMs: () => clock.nowMs, random: () => 1 },
    });
    const close = () => {
      feed.close();
      grantFeed.close();
      outbox.close();
    };
    return { watch, close, outbox };
  };
  context.after(() => [tickets.close(), grants.close()]);
  const opened = (changes = {}) => {
    const answer = tickets.ask(approvalRequest(changes), clock.nowMs);
    assert.equal(answer.kind, 'pending');
    return answer.kind === 'pending' ? answer.ticket : '';
  };
  return { tickets, grants, clock, told, open, opened, directory };
}

async function receiver(context: TestContext, ...answer: Parameters<typeof startReceiver>): Promise<Receiver> {
  const started = await startReceiver(...answer);
  context.after(() => started.close());
  return started;
}

function noted({ tickets, clock }: Rig, ticket: string): string[] {
  const events = tickets.read(ticket, clock.nowMs)?.events ?? [];
  return events.flatMap((event) => ('occasion' in event ? [`${event.kind} ${event.target} ${event.occasion}`] : []));
}

const typesOf = ({ received }: Receiver) => received.map(({ body }) => JSON.parse(body).type);

test('people are told when a ticket opens, when it is about to expire, and when it was decided or expired', async (context) => {
  const program = await receiver(context);
  const all = await rig(context, { program: program.url });
  const { watch, close } = all.open();
  context.after(close);
  const first = all.opened();
  await watch.look();
  assert.deepEqual(typesOf(program), ['approval.opened']);
  all.clock.nowMs += 46 * minute;
  await watch.look();
  await watch.look();
  assert.deepEqual(typesOf(program), ['approval.opened']);
  all.clock.nowMs += 5 * minute;
  await watch.look();
  all.clock.nowMs += minute;
  await watch.look();
  assert.deepEqual(typesOf(program), ['approval.opened', 'approval.expiring']);
  all.clock.nowMs += 10 * minute;
  await watch.look();
  await watch.look();
  assert.equal(typesOf(program).at(-1), 'approval.expired');
  const second = all.opened({ binding: 'b-2' });
  all.tickets.decide(second, denial(), all.clock.nowMs);
  all.clock.nowMs += 3_000;
  await watch.look();
  await watch.look();
  assert.deepEqual(typesOf(program).slice(3), ['approval.decided'], 'that it was opened is not told any more');
  assert.equal(JSON.parse(program.received[3]?.body ?? '').data.decision.reason, 'not with production keys');
  assert.deepEqual(noted(all, first), [
    'notified program opened',
    'notified program expiring',
    'notified program expired',
  ]);
});

test('a message locates: it has no prompt, and who asks only where the target is to know', async (context) => {
  const program = await receiver(context);
  const all = await rig(context, { program: program.url });
  const { watch, close } = all.open();
  context.after(close);
  const ticket = all.opened();
  await watch.look();
  const body = program.received[0]?.body ?? '';
  assert.equal(JSON.parse(body).data.link, `https://skilltape.example/approvals/${ticket}`);
  assert.doesNotMatch(body, /deploy with|ada|SECRET/);
  const onDisk = new DatabaseSync(join(all.directory, 'notices.sqlite'));
  context.after(() => onDisk.close());
  assert.doesNotMatch(JSON.stringify(onDisk.prepare('select * from deliveries').all()), /ada@|deploy with/);
});

test('what fails, hangs, redirects or is refused is tried again under the same id, in its own time, until it is taken', async (context) => {
  const elsewhere = await receiver(context);
  const program = await receiver(context, (response, _received, count) => {
    if (count === 1) response.writeHead(500).end();
    else if (count === 2) response.writeHead(302, { location: elsewhere.url }).end();
    else if (count === 3) response.writeHead(429, { 'retry-after': '120' }).end();
    else if (count === 4) return;
    else if (count === 5) response.socket?.destroy();
    else response.writeHead(200).end();
  });
  const other = await receiver(context);
  const all = await rig(context, { program: program.url, other: other.url });
  const { watch, close } = all.open();
  context.after(close);
  const ticket = all.opened();
  await watch.look();
  assert.equal(other.received.length, 1, 'the other one does not wait');
  await watch.look();
  assert.equal(program.received.length, 1, 'not at once');
  all.clock.nowMs += 2_000;
  await watch.look();
  assert.equal(program.received.length, 2);
  all.clock.nowMs += 4_000;
  await watch.look();
  assert.deepEqual(noted(all, ticket), ['notified other opened', 'not_notified program opened']);
  all.clock.nowMs += 119_000;
  await watch.look();
  assert.equal(program.received.length, 3, 'it wants to be left alone for two minutes');
  for (const waitMs of [1_000, 16_000, 32_000]) {
    all.clock.nowMs += waitMs;
    await watch.look();
  }
  assert.equal(program.received.length, 6);
  assert.equal(new Set(program.received.map(({ headers }) => headers['webhook-id'])).size, 1);
  assert.equal(new Set(program.received.map(({ headers }) => headers['webhook-timestamp'])).size > 3, true);
  assert.equal(elsewhere.received.length, 0, 'no redirect is followed');
  assert.equal(noted(all, ticket).at(-1), 'notified program opened');
  const attempts = all.told.flatMap((message) =>
    message.kind === 'attempt' && message.target === 'program' ? [message] : [],
  );
  assert.deepEqual(
    attempts.map(({ result }) => result),
    [...Array(5).fill('failed'), 'delivered'],
  );
  assert.match(JSON.stringify(attempts), /500.*redirect.*429.*no answer in time.*no connection/);
});

test('after its time, or when the receiver is gone, a message is given up, and the ticket says so', async (context) => {
  const program = await receiver(
    context,
    (response, _received, count) => void response.writeHead(count === 1 ? 410 : 503).end(),
  );
  const all = await rig(context, { program: program.url });
  const { watch, close, outbox } = all.open();
  context.after(close);
  const gone = all.opened();
  await watch.look();
  assert.deepEqual(noted(all, gone), ['not_notified program opened']);
  const away = all.opened({ binding: 'b-2' });
  for (let look = 0; look < 40; look += 1) {
    all.clock.nowMs += 2 * minute;
    await watch.look();
  }
  assert.ok(noted(all, away).includes('not_notified program opened'));
  const last = all.told.findLast(({ kind }) => kind === 'failing');
  assert.deepEqual(last, { kind: 'failing', targets: ['program'] });
  for (let look = 0; look < 40; look += 1) {
    all.clock.nowMs += 2 * minute;
    await watch.look();
  }
  assert.equal(outbox.undelivered, 0);
});

test('a death between taking note and delivering, and between delivering and writing it down, loses nothing and repeats under one id', async (context) => {
  const ids: string[] = [];
  let dies = true;
  const all = await rig(context, { program: 'https://unused.example' }, async ({ id, occasion }) => {
    ids.push(`${occasion} ${id}`);
    if (dies) throw new Error('killed');
    return { kind: 'delivered' };
  });
  all.opened();
  const first = all.open();
  await assert.rejects(first.watch.look(), /killed/);
  first.close();
  dies = false;
  for (let start = 0; start < 3; start += 1) {
    const again = all.open();
    await again.watch.look();
    again.close();
  }
  assert.equal(ids.length, 2);
  assert.equal(new Set(ids).size, 1);
});

test('a target that was taken out of the configuration is given up', async (context) => {
  const all = await rig(context, { program: 'https://unused.example' }, async () => {
    return { kind: 'failed', why: 'x', retryAfterMs: null, isFinal: false };
  });
  const ticket = all.opened();
  const { watch, close, outbox } = all.open();
  await watch.look();
  assert.equal(outbox.undelivered, 1);
  close();
  const feed = new TicketFeed(join(all.directory, 'approvals.sqlite'), usualTicketLimits);
  const left = new Outbox(join(all.directory, 'notices.sqlite'));
  context.after(() => [feed.close(), left.close()]);
  new TicketWatch({
    ...{ feed, outbox: left, targets: [], expiringMs: minute, giveUpMs: minute, sources: [ticketSource(feed, null)] },
    ...{ send: () => Promise.reject(), tell: () => {}, nowMs: () => all.clock.nowMs, random: () => 0 },
  });
  assert.equal(left.undelivered, 0);
  assert.deepEqual(noted(all, ticket), ['not_notified program opened']);
});

test('a full outbox takes no reminder either, and the reminder comes when there is room', async (context) => {
  const all = await rig(context, { program: 'https://unused.example' }, async () => {
    return { kind: 'failed', why: 'x', retryAfterMs: 60_000, isFinal: false };
  });
  const ticket = all.opened();
  const { watch, close, outbox } = all.open();
  context.after(close);
  const waiting = Array.from({ length: undeliveredMax }, (_, n) => ({
    notice: notice({ id: `t-0.${n}`, ticket }),
    target: 'program',
  }));
  outbox.add(waiting, null, all.clock.nowMs);
  const { state } = all.tickets.read(ticket, all.clock.nowMs) ?? {};
  assert.ok(state?.kind === 'pending');
  all.clock.nowMs = state.untilMs - minute;
  await watch.look();
  assert.equal(outbox.undelivered, undeliveredMax);
  assert.ok(!outbox.has(`${ticket}.expiring`));
  outbox.done({ notice: notice({ id: 't-0.0' }), target: 'program' }, 'delivered');
  all.clock.nowMs += 10_000;
  await watch.look();
  assert.ok(outbox.has(`${ticket}.expiring`));
});

test('tickets are counted by each rule that held them, with the time to their decision', async (context) => {
  const all = await rig(context, {});
  const before = all.opened({ binding: 'before' });
  const { watch, close } = all.open();
  context.after(close);
  all.opened({ binding: 'b-1' });
  const approved = all.opened({ binding: 'b-2' });
  await watch.look();
  all.clock.nowMs += minute;
  all.tickets.decide(approved, approval(), all.clock.nowMs);
  all.tickets.decide(before, denial(), all.clock.nowMs);
  await watch.look();
  const live = all.told.findLast(({ kind }) => kind === 'live');
  const rule = 'request/findings_listed';
  assert.deepEqual(live?.kind === 'live' && live.live, {
    byRule: [
      { rule, state: 'pending', tickets: 1 },
      { rule, state: 'granted', tickets: 1 },
    ],
    oldestPendingMs: 1_000_000,
  });
  all.clock.nowMs += 60 * minute;
  await watch.look();
  await watch.look();
  const counted = all.told.flatMap((message) => (message.kind === 'counted' ? message.counted : []));
  assert.deepEqual(
    counted.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))),
    [
      { kind: 'ended', rules: [rule], how: 'approved', afterMs: minute },
      { kind: 'ended', rules: [rule], how: 'denied', afterMs: minute },
      { kind: 'ended', rules: [rule], how: 'expired', afterMs: 61 * minute },
      { kind: 'opened', rules: [rule] },
      { kind: 'opened', rules: [rule] },
    ],
  );
});

test('a receiver that wants to be left alone is left alone by what comes later too', async (context) => {
  const program = await receiver(context, (response, _received, count) => {
    response.writeHead(count === 1 ? 429 : 200, count === 1 ? { 'retry-after': '60' } : {}).end();
  });
  const all = await rig(context, { program: program.url });
  const { watch, close } = all.open();
  context.after(close);
  all.opened();
  await watch.look();
  all.opened({ binding: 'b-2' });
  all.clock.nowMs += 30_000;
  await watch.look();
  assert.equal(program.received.length, 1);
  all.clock.nowMs += 31_000;
  await watch.look();
  assert.equal(program.received.length, 3);
});

test('of more tickets than are looked at together each is told soon before its end', async (context) => {
  const told: string[] = [];
  const all = await rig(context, { program: 'https://unused.example' }, async ({ occasion, ticket }) => {
    if (occasion === 'expiring') told.push(ticket);
    return { kind: 'delivered' };
  });
  const open = Array.from({ length: expiringAtOnceMax + 20 }, (_, number) =>
    all.opened({ binding: `b-${number}`, caller: `c-${number}` }),
  );
  const { watch, close } = all.open();
  context.after(close);
  all.clock.nowMs += 55 * minute;
  for (let look = 0; look < 2; look += 1) {
    await watch.look();
    all.clock.nowMs += 2_000;
  }
  await watch.look();
  assert.deepEqual(told.toSorted(), open.toSorted());
  // Whoever opens one more is told of it in time too.
  const late = all.opened({ binding: 'late', caller: 'late', terms: { openMs: minute } });
  all.clock.nowMs += 50_000;
  for (let look = 0; look < 3; look += 1) {
    await watch.look();
    all.clock.nowMs += 2_000;
  }
  assert.deepEqual(told.slice(open.length), [late]);
});

test('an approval that was taken back before it was told is told, and then that it was taken back', async (context) => {
  const program = await receiver(context);
  const all = await rig(context, { program: program.url });
  const { watch, close } = all.open();
  context.after(close);
  const ticket = all.opened();
  all.tickets.decide(ticket, approval('grace', { reason: 'seen' }), all.clock.nowMs);
  all.tickets.decide(ticket, { kind: 'revoke', by: approver('sam'), reason: 'seen too late' }, all.clock.nowMs);
  await watch.look();
  assert.deepEqual(
    program.received.map(({ body }) => [JSON.parse(body).type, JSON.parse(body).data.decision]),
    [
      ['approval.decided', { kind: 'approved', reason: 'seen' }],
      ['approval.decided', { kind: 'revoked', reason: 'seen too late' }],
    ],
  );
});

/** Asks for access and gives the id. */
function ask({ grants, clock }: Rig, changes: Parameters<typeof asking>[0] = {}): string {
  const answer = grants.ask(asking(changes), clock.nowMs);
  return answer.kind === 'recorded' ? answer.grant.id : assert.fail();
}

test('people are told of access that is asked for, given, taken back, and ended by its time or undecided', async (context) => {
  const program = await receiver(context);
  const all = await rig(context, { program: program.url });
  const { watch, close } = all.open();
  context.after(close);
  const approved = { kind: 'approve' as const, by: grantActor('grace'), reason: 'agreed' };
  const messages = () => program.received.map(({ body }) => JSON.parse(body));
  const first = ask(all);
  await watch.look();
  assert.deepEqual(messages()[0].data.link, `https://skilltape.example/access/${first}`);
  assert.deepEqual(messages()[0].data.asked, { forMinutes: 120, reason: 'the release is on Friday' });
  assert.doesNotMatch(program.received[0]?.body ?? '', /ada/i, 'who asks is not told');
  // Both before the next look: each is told as what it was.
  all.grants.decide(first, approved, all.clock.nowMs);
  all.grants.decide(first, { ...approved, kind: 'revoke', reason: 'the release is out' }, all.clock.nowMs);
  await watch.look();
  const second = ask(all, { wanted: { skill: 'pdf', forMs: 5 * minute } });
  all.grants.decide(second, approved, all.clock.nowMs);
  const third = ask(all, { wanted: { model: 'claude-opus-5-5' } });
  await watch.look();
  all.clock.nowMs += 55 * minute;
  await watch.look();
  all.clock.nowMs += 5 * minute;
  all.grants.sweep(all.clock.nowMs);
  await watch.look();
  assert.deepEqual(
    messages().map(({ type, data }) => [type, data.ticket, data.decision?.kind ?? null, data.wasGranted]),
    [
      ['access.opened', first, null, false],
      ['access.decided', first, 'approved', false],
      ['access.decided', first, 'revoked', false],
      ['access.decided', second, 'approved', false],
      ['access.opened', third, null, false],
      ['access.expiring', third, null, false],
      ['access.expired', second, null, true],
      ['access.expired', third, null, false],
    ],
  );
  const events = all.grants.read(first, all.clock.nowMs)?.events ?? [];
  assert.deepEqual(
    events.flatMap((event) => ('occasion' in event ? [`${event.kind} ${event.target} ${event.occasion}`] : [])),
    ['notified program opened', 'notified program decided', 'notified program decided'],
  );
  assert.equal(all.grants.read(first, all.clock.nowMs)?.state.kind, 'revoked', 'what was told decides nothing');
});

test('break-glass is told as such, and a target hears of no more subjects than it is to', async (context) => {
  const told: Notice[] = [];
  const all = await rig(context, { all: 'https://unused.example', held: 'https://unused.example' }, async (one) => {
    told.push(one);
    return { kind: 'delivered' };
  });
  const { watch, close } = all.open({ held: ['approval'] });
  context.after(close);
  const id = ask(all, { wanted: { kind: 'break_glass', holder: null, connection: null } });
  all.opened();
  await watch.look();
  assert.deepEqual(told.map(({ about }) => about).toSorted(), ['approval', 'approval', 'break_glass']);
  const glass = told.find(({ about }) => about === 'break_glass') ?? assert.fail();
  assert.equal(titleOf(glass), `Break-glass is asked for (${id})`);
  assert.deepEqual([glass.connection, glass.link], [null, `${linkBase}/break-glass/${id}`]);
  assert.deepEqual(factsOf(glass)[0], { name: 'Connection', value: 'each' });
});

test('an outbox of an earlier version goes on where it was, and its messages are about tickets', (context) => {
  const file = join(temporaryDirectory(context), 'notices.sqlite');
  new Outbox(file).close();
  const old = new DatabaseSync(file);
  const { about: _, asked: __, wasGranted: ___, ...written } = notice();
  old.exec('drop table cursors; create table cursor (only_one integer primary key, number integer not null) strict');
  old.exec('insert into cursor values (1, 41)');
  const insert = old.prepare("insert into deliveries values ('t-1.1', 'chat', 't-1', ?, 0, 0, 0, null)");
  insert.run(JSON.stringify(written));
  old.close();
  for (let start = 0; start < 2; start += 1) {
    const outbox = new Outbox(file);
    assert.deepEqual([outbox.cursorOf('approvals'), outbox.cursorOf('grants')], [41, 0]);
    assert.deepEqual(outbox.next('chat', 1)?.notice, notice());
    outbox.close();
  }
});
