import { createTransport } from 'nodemailer';
import { readSecret } from '../secret-file.ts';
import type { Mail, SendMail } from './mail.ts';
import type { SmtpServer } from './target.ts';

/** Sends by an SMTP server. One connection for each message: they are few. */
export function smtpSender({ host, port, tls, login }: SmtpServer, timeoutMs: number): SendMail {
  return async (mail: Mail) => {
    const transport = createTransport({
      ...{ host, port, secure: tls === 'implicit', requireTLS: tls === 'starttls', ignoreTLS: tls === 'none' },
      ...{ connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs },
      // Nothing of a message is read from a file or fetched.
      ...{ disableFileAccess: true, disableUrlAccess: true },
      ...(login && { auth: { user: readSecret(login.userFile), pass: readSecret(login.passwordFile) } }),
    });
    const { to, ...rest } = mail;
    try {
      await transport.sendMail({ ...rest, to: [...to] });
    } finally {
      transport.close();
    }
  };
}
