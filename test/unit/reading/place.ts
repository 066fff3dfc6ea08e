import { endpointOf } from '../../../extproc/claude/endpoint.ts';
import { decodingLimits, noCodings } from '../../builders/decoding.ts';

/** How a plain messages request is read. */
export const messagesPlace = {
  endpoint: endpointOf('POST', '/v1/messages'),
  bodyForm: 'messages',
  contentType: 'application/json',
  codings: noCodings,
  decoding: decodingLimits,
} as const;
