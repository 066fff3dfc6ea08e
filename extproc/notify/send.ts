import { SkilltapeError } from '../errors.ts';
import { readSecret } from '../secret-file.ts';
import { mailOf, type SendMail } from './mail.ts';
import type { Notice } from './notice.ts';
import { post } from './post.ts';
import { slackMessage } from './slack.ts';
import type { Sent, SmtpServer, Target } from './target.ts';
import { teamsMessage } from './teams.ts';
import { webhookBody, webhookHeaders } from './webhook.ts';

/** How mail is sent; the adapter is loaded where there is a target for it. */
export type MailSenderOf = (server: SmtpServer, timeoutMs: number) => Promise<SendMail>;

/** One attempt. Never throws. */
export async function send(
  notice: Notice,
  target: Target,
  { timeoutMs, nowMs, mailSenderOf }: { timeoutMs: number; nowMs: number; mailSenderOf: MailSenderOf },
): Promise<Sent> {
  const told = target.namesPerson ? notice : { ...notice, person: null };
  try {
    if (target.kind === 'email') return await sendMail(told, target, timeoutMs, mailSenderOf);
    const { kind, urlFile, allowPlainHttp } = target;
    const body = bodyFor(kind, told);
    const headers = kind === 'webhook' ? webhookHeaders(readSecret(target.secretFile), notice.id, body, nowMs) : {};
    return await post({ url: readSecret(urlFile), allowPlainHttp, headers, body }, timeoutMs);
  } catch (thrown) {
    // Files that cannot be read: they may be there at the next attempt.
    const why = thrown instanceof SkilltapeError ? thrown.message : 'it could not be put together';
    return { kind: 'failed', why, retryAfterMs: null, isFinal: false };
  }
}

function bodyFor(kind: 'slack' | 'teams' | 'webhook', notice: Notice): string {
  switch (kind) {
    case 'slack':
      return JSON.stringify(slackMessage(notice));
    case 'teams':
      return JSON.stringify(teamsMessage(notice));
    case 'webhook':
      return webhookBody(notice);
    default:
      return kind satisfies never;
  }
}

async function sendMail(
  notice: Notice,
  { smtp, from, to }: Extract<Target, { kind: 'email' }>,
  timeoutMs: number,
  mailSenderOf: MailSenderOf,
): Promise<Sent> {
  const mail = mailOf(notice, { from, to });
  const late = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => late.resolve('late'), timeoutMs);
  try {
    const sender = await mailSenderOf(smtp, timeoutMs);
    const sent = sender(mail);
    sent.catch(() => {});
    if ((await Promise.race([sent, late.promise])) === 'late') return refused('no answer in time', false);
    return { kind: 'delivered' };
  } catch (thrown) {
    if (thrown instanceof SkilltapeError) throw thrown;
    const code = thrown instanceof Error && 'responseCode' in thrown ? Number(thrown.responseCode) : 0;
    // What it answers with 5xx it will answer so again (RFC 5321 section 4.2.1); a login may be mended.
    if (code >= 400 && code <= 599) return refused(`the mail server answered with ${code}`, code >= 550 && code <= 554);
    const name =
      thrown instanceof Error && 'code' in thrown ? String(thrown.code).replaceAll(/[^\w-]/g, '') : 'unknown';
    return refused(`the mail server was not reached (${name.slice(0, 60)})`, false);
  } finally {
    clearTimeout(timer);
  }
}

function refused(why: string, isFinal: boolean): Sent {
  return { kind: 'failed', why, retryAfterMs: null, isFinal };
}
