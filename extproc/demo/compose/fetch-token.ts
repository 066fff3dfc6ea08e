import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { resourceOf } from '../../../test/fakes/identity-provider/configuration.ts';
import { audience } from './places.ts';

/** Asks as the client that stands for one person (client_credentials, RFC 6749 section 4.4). */
export async function fetchToken(options: {
  issuer: string;
  caFile: string;
  secret: string;
  subject: string;
}): Promise<string> {
  const dispatcher = new Agent({ connect: { ca: readFileSync(options.caFile) } });
  try {
    const form = {
      grant_type: 'client_credentials',
      client_id: options.subject,
      client_secret: options.secret,
      resource: resourceOf(audience),
    };
    const { statusCode, body } = await request(`${options.issuer}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
      dispatcher,
    });
    const answer = (await body.json()) as { access_token?: string };
    if (answer.access_token !== undefined) return answer.access_token;
    throw new Error(`the identity provider gave no token (status ${statusCode})`);
  } finally {
    await dispatcher.close();
  }
}
