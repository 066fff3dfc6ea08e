/** Checks the key and the dialect of a request. */
import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from './api-error.ts';

const DIALECTS = ['2023-06-01', '2026-10-21'];

/** Both dialects take the key in either header; only its presence counts unless one key is set. */
export function checkAccess(headers: IncomingHttpHeaders, apiKey: string | undefined): void {
  const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
  const keys = [headers['x-api-key'], bearer].filter((key) => typeof key === 'string' && key !== '');
  if (keys.length === 0) throw new ApiError(401, 'x-api-key header is required');
  if (apiKey !== undefined && !keys.includes(apiKey)) throw new ApiError(401, 'invalid x-api-key');
  const version = headers['anthropic-version'];
  if (version === undefined) throw new ApiError(400, 'anthropic-version: header is required');
  if (!DIALECTS.includes(String(version))) {
    throw new ApiError(400, `anthropic-version: "${version}" is not a valid version`);
  }
}
