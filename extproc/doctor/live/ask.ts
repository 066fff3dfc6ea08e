import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import type { Route } from '../model.ts';
import { markHeader } from './arrivals.ts';

/** A request that a route takes. */
export type Question = { path: string; host: string; method: string; headers: Record<string, string> };

/** What came of it: a status, or no answer at all (`broken`), or none in time (`hung`). */
export type Answer = { kind: 'status'; status: number; exchangeId: string } | { kind: 'broken' } | { kind: 'hung' };

const body = JSON.stringify({
  model: 'claude-opus-5-5',
  max_tokens: 1,
  messages: [{ role: 'user', content: 'doctor' }],
});

/** A request that matches the route as it is written; null where its match is not a plain one. */
export function questionFor(route: Route): Question | null {
  const match = route.setting.at('match');
  const [prefix, exact] = [match.at('prefix').text || match.at('path_separated_prefix').text, match.at('path').text];
  const path = exact || (prefix === '' ? '' : `${prefix.replace(/\/$/, '')}/v1/messages`);
  if (path === '') return null;
  const headers: Record<string, string> = {};
  for (const matcher of match.at('headers').items) {
    const value = matcher.at('string_match', 'exact').text || matcher.at('exact_match').text;
    if (value === '' || matcher.at('invert_match').isOn) return null;
    headers[matcher.at('name').text.toLowerCase()] = value;
  }
  if (match.at('query_parameters').items.length > 0) return null;
  const { ':method': method = 'POST', ':authority': authority, ...others } = headers;
  const domain = route.levels.at(-2)?.at('domains').texts[0] ?? '*';
  return {
    path,
    method,
    headers: others,
    host: authority ?? (domain === '*' ? 'localhost' : domain.replace('*', 'doctor')),
  };
}

/** Sends it to a port of this machine and waits for the head of the answer, for at most `waitMaxMs`. */
export async function ask(
  port: number,
  { path, host, method, headers }: Question,
  credential: readonly [string, string] | null,
  waitMaxMs: number,
): Promise<{ answer: Answer; mark: string }> {
  const mark = randomUUID();
  const own = { host, 'content-type': 'application/json', 'anthropic-version': '2023-06-01', [markHeader]: mark };
  const all = { ...headers, ...own, ...(credential !== null && { [credential[0]]: credential[1] }) };
  const answer = await new Promise<Answer>((resolve) => {
    const call = request({ host: '127.0.0.1', port, path, method, headers: all }, (response) => {
      response.resume();
      const id = response.headers['x-skilltape-exchange'];
      resolve({ kind: 'status', status: response.statusCode ?? 0, exchangeId: typeof id === 'string' ? id : '' });
    });
    const timer = setTimeout(() => {
      resolve({ kind: 'hung' });
      call.destroy();
    }, waitMaxMs);
    call.on('close', () => clearTimeout(timer));
    call.on('error', () => resolve({ kind: 'broken' }));
    call.end(body);
  });
  return { answer, mark };
}
