/** Reads one encoded body as a request and as an answer, and says by how much that raised the memory of this process. */
import { readFileSync } from 'node:fs';
import { endpointOf } from '../../../extproc/claude/endpoint.ts';
import { decodeAnswer } from '../../../extproc/encoding/answer.ts';
import { readCodings } from '../../../extproc/encoding/codings.ts';
import { bodyFacts } from '../../../extproc/exchange/body.ts';

export type Measured = { reason: string; fault: string; answer: string; grownBytes: number };

const [, , file = '', contentEncoding = '', decodedBodyMaxBytes = '', decodedRatioMax = ''] = process.argv;
const decoding = { decodedBodyMaxBytes: Number(decodedBodyMaxBytes), decodedRatioMax: Number(decodedRatioMax) };
const body = readFileSync(file);
const place = {
  endpoint: endpointOf('POST', '/v1/messages'),
  bodyForm: 'messages',
  contentType: 'application/json',
  codings: readCodings(contentEncoding, 'refused'),
  decoding,
} as const;
const before = process.memoryUsage.rss();
const { reason, fault } = bodyFacts(place, body);
const answer = decodeAnswer(body, contentEncoding, decoding);
const grownBytes = process.resourceUsage().maxRSS * 1024 - before;
const measured: Measured = { reason, fault, answer: answer.decoded ? '' : answer.fault, grownBytes };
process.stdout.write(JSON.stringify(measured));
