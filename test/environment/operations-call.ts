import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import type { ReadinessReport } from '../../extproc/operations/readiness.ts';
import { type Series, seriesOf } from '../unit/operations/exposition.ts';
import { waitUntil } from './wait.ts';

/** What the listener of a gateway's processor answers; the processor of the last start is asked. */
export function operationsOf({ directory }: { directory: string }) {
  const ask = async (path: string): Promise<{ status: number; body: string }> => {
    const url = `http://127.0.0.1:${await portIn(join(directory, 'processor.log'))}${path}`;
    const { statusCode, body } = await request(url);
    return { status: statusCode, body: await body.text() };
  };
  return {
    ask,
    async ready(): Promise<ReadinessReport & { status: number }> {
      const { status, body } = await ask('/readyz');
      return { ...(JSON.parse(body) as ReadinessReport), status };
    },
    async series(): Promise<Series[]> {
      const { status, body } = await ask('/metrics');
      if (status !== 200) throw new Error(`/metrics: ${status}`);
      return seriesOf(body);
    },
  };
}

/** `operations.port` is 0 in tests; the log says which port it got. */
export function portIn(logFile: string): Promise<number> {
  return waitUntil('the port of the listener in the log', () => {
    if (!existsSync(logFile)) return undefined;
    const ports = readFileSync(logFile, 'utf8').matchAll(/"port":(\d+),"msg":"health and metrics are served"/g);
    const last = [...ports].at(-1)?.[1];
    return last === undefined ? undefined : Number(last);
  });
}

/** What is not well, as `name: state`. */
export function troubles({ conditions }: ReadinessReport): string[] {
  return conditions.flatMap(({ name, state }) => (state === 'ok' ? [] : [`${name}: ${state}`]));
}
