import { createHmac } from 'node:crypto';
import { SkilltapeError } from '../errors.ts';
import type { Notice } from './notice.ts';

/** What a program gets; the values are those of the ticket, masked and bounded, as JSON. */
export function webhookBody(notice: Notice): string {
  const { about, occasion, timeMs, untilMs, id: _id, ...data } = notice;
  return JSON.stringify({
    type: `${about}.${occasion}`,
    timestamp: new Date(timeMs).toISOString(),
    data: { ...data, until: untilMs === null ? null : new Date(untilMs).toISOString() },
  });
}

const secretPattern = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const secretMinBytes = 24;
const secretMaxBytes = 64;

/**
 * The headers of the Standard Webhooks scheme (symmetric, version 1): HMAC-SHA256 over id, time of this attempt in
 * seconds and body, each joined by a dot. The id is the same at every attempt.
 * Throws SkilltapeError `config_invalid` for a secret of another form; the message does not hold it.
 */
export function webhookHeaders(secret: string, id: string, body: string, nowMs: number): Record<string, string> {
  const key = Buffer.from(secretPattern.exec(secret)?.[1] ?? '', 'base64');
  if (key.length < secretMinBytes || key.length > secretMaxBytes)
    throw new SkilltapeError('config_invalid', 'the secret of a webhook has not the form that is needed', {
      remedy: `write whsec_ and ${secretMinBytes} to ${secretMaxBytes} random bytes in base64 into its file`,
    });
  const seconds = Math.floor(nowMs / 1_000);
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` };
}
