import { makesThings, messageKindsOf, type OwnedId } from '../claude/owned-ids.ts';
import type { MessagesRequest } from '../claude/request.ts';
import { bringsSessionIds } from '../claude/session.ts';
import type { AccessInput, RequestInput } from '../policy/input.ts';
import { excerptMaxChars } from '../policy/input-bounds.ts';
import type { AnswerHandling } from './answer.ts';
import { handlingOf } from './answer-handling.ts';
import { AnswerLearning } from './answer-learning.ts';
import type { BodyFacts, BodyPlace } from './body.ts';
import { requestInput } from './body.ts';
import type { RequestFacts } from './facts.ts';
import { accessInput, requestFacts } from './facts.ts';
import type { FrameOf } from './frame.ts';
import { headerValue, recordableHeaders } from './headers.ts';
import { grantFacts, type HeldGrant } from './held-grants.ts';
import type { Judging } from './judging.ts';
import { ownerFacts } from './ownership.ts';
import type { Attempts, Connection, ExchangeContext, ExchangeLimits, Judge } from './ports.ts';
import type { Started } from './record.ts';
import type { RefusalReason } from './refusal.ts';
import type { Session } from './session.ts';
import { sessionOf } from './session.ts';

type IntakeContext = Pick<ExchangeContext, 'clock' | 'owners' | 'grants' | 'keyedHash'>;

/** What is known of an exchange once its request headers were read. */
export class Intake {
  readonly facts: RequestFacts;
  readonly access: AccessInput;
  /** Whose share the exchange takes: the verified identity's, or that of the address it came from. */
  readonly caller: string;
  /** As they were when the exchange began: it is judged by them to its end. */
  readonly grants: readonly HeldGrant[];
  readonly #context: IntakeContext;
  readonly #connection: Connection;
  /** Things that the request names, in its body too once that was read. */
  #named: readonly OwnedId[] = [];

  constructor(
    frame: FrameOf<'request_headers'>,
    context: IntakeContext,
    connection: Connection,
    pathPrefix: string,
    timeZones: readonly string[] = [],
  ) {
    this.#context = context;
    this.#connection = connection;
    this.facts = requestFacts(frame, connection, pathPrefix);
    const nowMs = context.clock.nowMs();
    const access = accessInput(this.facts, connection, nowMs, timeZones);
    this.grants = context.grants.holding(access.identity, connection.name, nowMs);
    const owners = this.#ownersOf(this.facts.named, access.identity);
    this.access = { ...access, owners, grants: grantFacts(this.grants) };
    this.caller = callerOf(access.identity, this.facts.sourceAddress);
  }

  get connection(): string {
    return this.#connection.name;
  }

  /** What the headers announce that cannot be taken, before any of the body came; null when nothing stands against it. */
  refusal({ requestBodyMaxBytes }: ExchangeLimits): { reason: RefusalReason; detail: string } | null {
    // A caller without content-length announces nothing.
    const announcedBytes = Number(headerValue(this.facts.headers, 'content-length') ?? 0);
    if (announcedBytes > requestBodyMaxBytes) {
      return { reason: 'request_body_too_large', detail: `${requestBodyMaxBytes} bytes` };
    }
    const { codings } = this.facts;
    return codings.ok ? null : { reason: 'encoding_unsupported', detail: codings.fault };
  }

  /** The document that policy judges once the body was read. */
  requestInput(read: BodyFacts, bytes: number, totals: RequestInput['totals']): RequestInput {
    const { codings, named } = this.facts;
    this.#named = [...named, ...read.named];
    const owners = this.#ownersOf(this.#named, this.access.identity);
    const sent = { bytes, codings: codings.ok ? codings.codings : [], totals };
    return requestInput({ ...this.access, owners }, read, sent);
  }

  /** How the body is to be read. */
  bodyPlace(
    { decodedBodyMaxBytes, decodedRatioMax, requestFindingsMaxChars }: ExchangeLimits,
    judge: Pick<Judge, 'looksAtFindings' | 'looksAtExcerpt'>,
  ): BodyPlace {
    const { endpoint, bodyForm, contentType, codings } = this.facts;
    const decoding = { decodedBodyMaxBytes, decodedRatioMax };
    const searched = judge.looksAtFindings ? { findingsMaxChars: requestFindingsMaxChars } : {};
    const excerpted = judge.looksAtExcerpt ? { excerptMaxChars } : {};
    return { endpoint, bodyForm, contentType, codings, decoding, ...searched, ...excerpted };
  }

  started(attempts: Attempts, exchangeId: string, policyRevision: string): Started {
    const { method, path, query, sourceAddress, envoyRequestId, authentication, headers } = this.facts;
    return {
      connection: this.#connection.name,
      identity: this.access.identity,
      authenticationFailure: authentication.kind === 'failed' ? authentication.failure : null,
      method,
      path,
      query,
      // `:path` has the query with whatever the caller put there; `query` above has the part that may be recorded.
      headers: recordableHeaders(headers.filter(([name]) => name !== ':path')),
      sourceAddress,
      envoyRequestId,
      ...{ attemptOf: attempts.linkTo(envoyRequestId, exchangeId), policyRevision },
    };
  }

  sessionFor(request: MessagesRequest | null, exchangeId: string, context: ExchangeContext): Session {
    const { keyedHash, sessionLinks: links } = context;
    const own = { facts: this.facts, identity: this.access.identity, connection: this.#connection.name };
    const session = sessionOf({ ...own, request, exchangeId, keyedHash, links });
    context.stops.joined(exchangeId, session.id);
    return session;
  }

  /** What is done with the answer, of which these are the headers; there is no `session` where it was not judged. */
  handlingOf(
    frame: FrameOf<'response_headers'>,
    context: ExchangeContext,
    known: { request: MessagesRequest | null; session: Session | undefined; judging: Judging | undefined },
  ): AnswerHandling {
    const { request, session, judging } = known;
    const counting = judging?.counting ?? null;
    const { budget, reader, limits, owners, keyedHash } = context;
    const scope = { identity: this.access.identity, connection: this.#connection.name, keyedHash };
    const learning = session === undefined ? null : this.#learningFor(request, session.id, context);
    const { heldBodyMaxBytes } = limits;
    const whose = { method: this.facts.method, connection: this.#connection, scope, owners };
    const rest = { ...whose, budget, reader, heldBodyMaxBytes, learning, counting };
    return handlingOf(frame, this.facts.endpoint, rest);
  }

  /** Null where the answer brings no id that a later request could name. */
  #learningFor(request: MessagesRequest | null, session: string, context: ExchangeContext): AnswerLearning | null {
    const { identity } = this.access;
    if (identity === null || !this.#bringsIds(request)) return null;
    const { keyedHash, sessionLinks: links, owners, budget, reader, limits } = context;
    const scope = { identity, connection: this.#connection.name, keyedHash };
    return new AnswerLearning({
      ...{ links, owners, scope, session, budget, reader, messageKinds: messageKindsOf(request) },
      ...{ endpoint: this.facts.endpoint.name, named: this.#named },
      heldBodyMaxBytes: limits.heldBodyMaxBytes,
    });
  }

  #bringsIds(request: MessagesRequest | null): boolean {
    const { name } = this.facts.endpoint;
    if (name !== 'messages.create' || request === null) return makesThings(name);
    return bringsSessionIds(request) || messageKindsOf(request).length > 0;
  }

  #ownersOf(named: readonly OwnedId[], identity: AccessInput['identity']): AccessInput['owners'] {
    const { keyedHash, owners } = this.#context;
    return ownerFacts(named, { identity, connection: this.#connection.name, keyedHash }, owners);
  }
}

function callerOf(identity: AccessInput['identity'], sourceAddress: string): string {
  return identity === null ? sourceAddress : JSON.stringify([identity.issuer, identity.subject]);
}
