import { callerCredentialHeaders, type HeaderList, headerValue } from './headers.ts';

/** Of one connection alone (RFC 9110 section 7.6.1), or made anew for the next one. */
const notForwarded = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect'],
  ...['host', 'content-length', 'accept-encoding'],
  ...callerCredentialHeaders,
]);

/**
 * The headers of a held request as they go to the release listener, repeats kept. The caller was given the headers of an
 * answer before, so a content-encoding could not be announced any more: none is asked for.
 */
export function releasedHeaders(headers: HeaderList, bytes: number): HeaderList {
  return [
    ['host', headerValue(headers, ':authority') ?? ''],
    ...headers.filter(([name]) => !name.startsWith(':') && !name.startsWith('x-skilltape-') && !notForwarded.has(name)),
    ['accept-encoding', 'identity'],
    ['content-length', String(bytes)],
  ];
}
