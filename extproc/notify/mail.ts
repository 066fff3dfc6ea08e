import { factsOf, type Notice, titleOf } from './notice.ts';
import { plain } from './plain.ts';

/** One message, plain text alone. */
export type Mail = { from: string; to: readonly string[]; subject: string; text: string; messageId: string };

/** Sends mail (`smtp.ts`). Rejects when the server did not take it. */
export type SendMail = (mail: Mail) => Promise<void>;

/** The subject is of our words and the ticket's id: nothing that a caller wrote comes near a header. */
export function mailOf(notice: Notice, { from, to }: Pick<Mail, 'from' | 'to'>): Mail {
  const facts = factsOf(notice).map(({ name, value }) => `${name}: ${plain(value)}`);
  const link = notice.link === null ? [] : ['', new URL(notice.link).href];
  const host = from.slice(from.indexOf('@') + 1);
  return {
    ...{ from, to },
    subject: `skilltape: ${plain(titleOf(notice))}`,
    text: `${[titleOf(notice), '', ...facts, ...link].map((line) => line.replaceAll(/[\r\n]/g, ' ')).join('\r\n')}\r\n`,
    messageId: `<${notice.id}@${host}>`,
  };
}
