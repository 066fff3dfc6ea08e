import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import type { DemoFacts } from '../demo/facts.ts';
import { demoDirectory, demoFacts, demoFile } from '../demo/facts.ts';
import { SkilltapeError } from '../errors.ts';

/** @throws SkilltapeError `usage`: no demo runs in this folder */
export function readDemoFacts(): DemoFacts {
  const file = join(demoDirectory, demoFile);
  if (!existsSync(file)) {
    throw new SkilltapeError('usage', `there is no ${file}: the demo is not running in this folder`, {
      remedy: 'run `npm start` here first; for your own identity provider log in with skilltape token login',
    });
  }
  return demoFacts.parse(JSON.parse(readFileSync(file, 'utf8')));
}

/** Asks the token endpoint as the client that stands for this person (client_credentials, RFC 6749 section 4.4). */
export async function demoToken(facts: DemoFacts, user: string): Promise<string> {
  const dispatcher = new Agent({ connect: { ca: readFileSync(facts.caFile) } });
  try {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: user,
      client_secret: facts.userClientSecret,
      resource: facts.resource,
    });
    const { statusCode, body } = await request(`${facts.issuer}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
      dispatcher,
    });
    const answer = (await body.json()) as { access_token?: string; error?: string };
    if (answer.access_token !== undefined) return answer.access_token;
    throw new SkilltapeError(
      'usage',
      `the demo identity provider gave no token for ${user} (${statusCode} ${answer.error})`,
      {
        remedy: 'use --user alice, bob or mallory',
      },
    );
  } catch (error) {
    if (error instanceof SkilltapeError) throw error;
    throw new SkilltapeError('usage', `the demo identity provider at ${facts.issuer} does not answer`, {
      cause: error,
      remedy: 'start it with `npm start`',
    });
  } finally {
    await dispatcher.close();
  }
}
